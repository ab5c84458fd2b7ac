import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readPages, root } from './markdown.js'

const page = readPages().find(({ path }) => path === 'docs/reliability.md')
const text = (page?.text ?? '').replaceAll(/\n {2}(?=\S)/g, ' ')

/** What the page says of one test. */
interface Named {
  readonly file: string
  readonly title: string
}

/** Every test that a piece of the page names: a file in backticks, and titles in quotes behind it. */
function namedIn(piece: string): Named[] {
  return [...piece.matchAll(/`([\w-]+\/[\w.-]+\.ts)`((?:,? “[^”]+”)+)/g)].flatMap(
    ([, short = '', titles = '']) =>
      [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file: fileOf(short), title })),
  )
}

/** The path behind the short one of the page. */
function fileOf(short: string): string {
  const [folder = '', name = ''] = short.split('/')
  return folder === 'topics' ? `tooling/conformance/src/topics/${name}` : `packages/${folder}/test/${name}`
}

function items(heading: string): string[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`)
  return (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('- '))
}

/** All TypeScript below a folder. */
function sources(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8'))
    .join('\n')
}

function isTitleIn({ file, title }: Named): boolean {
  if (!existsSync(join(root, file))) return false
  const source = readFileSync(join(root, file), 'utf8')
  return [`'${title}'`, `"${title}"`, `\`${title}\``].some((literal) => source.includes(literal))
}

describe('the page on reliability', () => {
  it('names only tests that are there', () => {
    const named = namedIn(text)
    expect(named.length).toBeGreaterThan(100)
    expect(named.filter((one) => !isTitleIn(one))).toEqual([])
    // Nothing in quotes is left out by the pattern.
    expect(named).toHaveLength([...text.matchAll(/“[^”]+”/g)].length)
  })

  it('speaks of all 50 faults, and of each either names a test or says why there is none', () => {
    const faults = items('Faults')
    expect(faults.map((item) => Number(/^- \*\*(\d+)\./.exec(item)?.[1]))).toEqual(
      Array.from({ length: 50 }, (_, n) => n + 1),
    )
    const without = faults.filter((item) => namedIn(item).length === 0)
    expect(without.filter((item) => !/Not (covered|a test)/.test(item))).toEqual([])
  })

  it('speaks of all 30 bugs of others, each with a test', () => {
    const bugs = items('Bugs that others had')
    expect(bugs).toHaveLength(30)
    expect(bugs.filter((item) => namedIn(item).length === 0)).toEqual([])
  })

  it('names every test that was written for a bug of others', () => {
    const titles = (source: string): string[] =>
      [...source.matchAll(/^ *'?(?:it\()?'([^'\n]*#\d+: [^'\n]*)'/gm)].map(([, title = '']) => title)
    const topics = ['leases', 'workers', 'runs'].map(
      (name) => `tooling/conformance/src/topics/rivals-${name}.ts`,
    )
    for (const file of [...topics, 'packages/postgres/test/rivals.test.ts']) {
      const written = titles(readFileSync(join(root, file), 'utf8'))
      expect(written.length).toBeGreaterThan(1)
      const named = namedIn(text).filter((one) => one.file === file)
      expect(written.filter((title) => !named.some((one) => one.title === title))).toEqual([])
    }
  })

  it('has a row for each invariant of the checker, in its words', () => {
    const [, table = ''] = text.split('\n## Invariants\n')
    const rows = [...table.matchAll(/^\| ([QWS]\d+\w?) +\| (.+?) +\|$/gm)].map(
      ([, id, says]) => `${id}: ${says}`,
    )
    const found = ['queue', 'system', 'workflow']
      .map((part) => sources(`tooling/checker/src/${part}`))
      .join('\n')
    const checked = [...found.matchAll(/id: '([QWS]\d+\w?)',\s*sentence:\s*'([^']*)'/g)]
    expect(rows.sort()).toEqual(checked.map(([, id, says]) => `${id}: ${says}`).sort())
  })

  it('names only faults that chaos knows', () => {
    const source = sources('tooling/chaos/src/faults')
    const restarts = source.includes('`restart-${mode}`') ? ['restart-fast', 'restart-immediate'] : []
    const known = [
      ...[...source.matchAll(/'([a-z]+(?:-[a-z0-9]+)*)'/g)].map(([, name = '']) => name),
      ...restarts,
    ]
    const named = items('Faults').flatMap((item) => [
      ...(/Chaos: (.+)\.$/.exec(item)?.[1] ?? '').matchAll(/`([^`]+)`/g),
    ])
    expect(named.length).toBeGreaterThan(20)
    const unknown = named.map(([, name = '']) => name).filter((name) => !known.includes(name))
    expect(unknown).toEqual([])
  })
})
