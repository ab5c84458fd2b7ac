import { basename, relative } from 'node:path'

const empty = /(?:^|[-._])(utils?|helpers?|managers?|misc|common)(?=[-._]|$)/i

/** A file is named for its idea; these names hold none, and attract whatever has no place. */
const fileNames = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { empty: '"{{name}}" says nothing about what is inside; name the file for its idea.' },
  },
  create(context) {
    const path = relative(context.cwd, context.physicalFilename)
    const name = path.split('/').find((part) => empty.test(part))
    return {
      Program(node) {
        if (name !== undefined) context.report({ node, messageId: 'empty', data: { name: basename(name) } })
      },
    }
  },
}

export const names = { rules: { 'file-names': fileNames } }
