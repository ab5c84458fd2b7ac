import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** A fenced block of a page, with what the HTML comment right above it says. */
export interface Block {
  readonly language: string
  readonly code: string
  /** Line of the opening fence, counted from 1. */
  readonly line: number
  /** It goes on where the ts block before it stopped: `<!-- continues -->`. */
  readonly continues: boolean
  /** Why it is not run: `<!-- not run: reason -->`. */
  readonly notRun: string | undefined
}

/** A page and the blocks in it. */
export interface Page {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

/** The repository. */
export const root = join(import.meta.dirname, '../..')

/** Every page that a reader is meant to find: the README files and everything below docs. */
export function readPages(): Page[] {
  const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  return ['README.md', ...packages, ...markdownBelow('docs')].map((path) => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path, text, blocks: blocksOf(text, path) }
  })
}

function markdownBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return []
      if (entry.isDirectory()) return markdownBelow(path)
      return path.endsWith('.md') ? [relative(root, join(root, path))] : []
    })
    .sort()
}

/**
 * The fenced blocks of a page in order.
 * @throws Error for a fence that is indented or not closed: it would be skipped in silence.
 */
export function blocksOf(text: string, path: string): Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    if (/^\s+```/.test(line)) throw new Error(`${path}:${i + 1}: a fence must not be indented`)
    if (!line.startsWith('```')) continue
    const end = lines.indexOf('```', i + 1)
    if (end < 0) throw new Error(`${path}:${i + 1}: the block is not closed`)
    const remark = remarkAbove(lines, i)
    blocks.push({
      language: line.slice(3).trim(),
      code: lines.slice(i + 1, end).join('\n'),
      line: i + 1,
      continues: remark === 'continues',
      notRun: /^not run: (.+)$/.exec(remark ?? '')?.[1],
    })
    i = end
  }
  return blocks
}

function remarkAbove(lines: readonly string[], fence: number): string | undefined {
  let above = fence - 1
  while (above >= 0 && lines[above]?.trim() === '') above--
  return /^<!-- (.+) -->$/.exec(lines[above] ?? '')?.[1]
}

/** A program of a page: a ts block and those that continue it. */
export interface Program {
  readonly line: number
  readonly code: string
  /** Line of its last block, which what it prints follows. */
  readonly lastLine: number
}

/** The programs of a page in order. */
export function programsOf(blocks: readonly Block[], path: string): Program[] {
  const programs: Program[] = []
  for (const block of blocks) {
    if (block.notRun !== undefined || (block.language !== 'ts' && block.language !== 'js')) continue
    const previous = programs.at(-1)
    if (!block.continues) programs.push({ line: block.line, code: block.code, lastLine: block.line })
    else if (previous === undefined) throw new Error(`${path}:${block.line}: there is nothing to continue`)
    else {
      const code = `${previous.code}\n${block.code}`
      programs[programs.length - 1] = { ...previous, code, lastLine: block.line }
    }
  }
  return programs
}
