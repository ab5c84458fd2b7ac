import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPages, root, type Page } from './markdown.js'

const pages = readPages()

/** The targets of the links of a page, without those in blocks. */
function linksOf({ text }: Page): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
}

/** The anchors of a page, by the rules of GitHub. */
function anchorsOf({ text }: Page): string[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}

/** What is wrong with a link on a page; undefined when nothing is. */
function problemOf(page: Page, target: string): string | undefined {
  if (/^https:\/\//.test(target)) return undefined
  const [file = '', anchor] = target.split('#')
  const path = file === '' ? page.path : relative(root, join(root, dirname(page.path), file))
  if (!existsSync(join(root, path))) return `${target}: there is no ${path}`
  if (anchor === undefined || statSync(join(root, path)).isDirectory()) return undefined
  const found = pages.find((one) => one.path === path)
  if (found === undefined) return `${target}: ${path} is no page with headings`
  return anchorsOf(found).includes(anchor) ? undefined : `${target}: ${path} has no heading ${anchor}`
}

describe('links between the pages', () => {
  for (const page of pages) {
    it(`${page.path}: every link leads somewhere`, () => {
      expect(linksOf(page).flatMap((target) => problemOf(page, target) ?? [])).toEqual([])
    })
  }

  it('every guide and example is linked from somewhere', () => {
    const linked = pages.flatMap((page) =>
      linksOf(page).map((target) =>
        relative(root, join(root, dirname(page.path), target.split('#')[0] ?? '')),
      ),
    )
    const examples = readdirSync(join(root, 'docs/examples')).map((name) => `docs/examples/${name}`)
    const guides = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/'))
    // Part of examples, and none itself.
    const parts = ['docs/examples/either-database.ts']
    expect([...guides, ...examples].filter((path) => !linked.includes(path))).toEqual(parts)
  })
})
