import { rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { programsOf, readPages, root } from './markdown.js'

// A program may import one driver; with several in one compilation the transaction of each would be any of theirs.
const drivers = ['postgres', 'sqlite', 'turso'] as const
const folder = join(root, 'docs/.tmp', `types-${process.pid}`)

interface Written {
  readonly file: string
  /** Where the code stands. */
  readonly place: string
  readonly driver: string
}

const written: Written[] = readPages().flatMap(({ path, blocks }) =>
  programsOf(blocks, path).map(({ line, code }) => {
    const file = join(folder, `${path.replaceAll(/[^\w]/g, '_')}_${line}.ts`)
    const driver = drivers.find((name) => code.includes(`'@pgqrs/${name}'`)) ?? 'sqlite'
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, code)
    return { file, place: `${path}:${line}`, driver }
  }),
)

const sources = new Map<string, ts.SourceFile | undefined>()

function errorsIn(files: readonly string[]): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'docs/tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  )
  const options = { ...config?.options, noEmit: true }
  const host = ts.createCompilerHost(options)
  const read = host.getSourceFile.bind(host)
  host.getSourceFile = (name, languageVersion) => {
    if (!sources.has(name)) sources.set(name, read(name, languageVersion))
    return sources.get(name)
  }
  const program = ts.createProgram(files, options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const place = written.find((one) => one.file === file?.fileName)?.place ?? file?.fileName ?? ''
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${place}, line ${line} of the program: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

describe('types of the programs in the pages', () => {
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  for (const driver of drivers) {
    it(`those on ${driver}`, { timeout: 120_000 }, () => {
      const files = written.filter((one) => one.driver === driver).map((one) => one.file)
      expect(files.map((file) => basename(file))).not.toEqual([])
      expect(errorsIn(files)).toEqual([])
    })
  }
})
