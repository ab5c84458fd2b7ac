import type { CatalogRow } from './dialect.js'

// Text in quotes, comments, brackets and commas, words, white space.
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[^]*?\*\/|[(),]|[^\s'"`[(),]+|\s+/g
const NOTHING = /^(\s|--|\/\*)/

/**
 * The CHECK constraints in the text of a CREATE TABLE, which is the only place where SQLite keeps them: one row for
 * each column that has any, one for the table when it has some of its own.
 */
export function checksOf(table: string, createTable: string): CatalogRow[] {
  const checks = new Map<string, string[]>()
  for (const part of partsOf(tokensOf(createTable))) {
    const [first = ''] = part
    const name = isWord(first, 'check') || isWord(first, 'constraint') ? table : `${table}.${plain(first)}`
    for (const check of checksIn(part)) checks.set(name, [...(checks.get(name) ?? []), check])
  }
  return [...checks].map(([name, texts]) => ({ kind: 'check', name, detail: texts.sort().join(' and ') }))
}

/** The text of a check in the one spelling that is compared. */
export function checkText(sql: string): string {
  return spelled(tokensOf(sql))
}

function tokensOf(sql: string): string[] {
  return (sql.match(TOKENS) ?? []).filter((token) => !NOTHING.test(token))
}

/** What stands between the commas of the outermost parentheses. */
function partsOf(tokens: readonly string[]): string[][] {
  const parts: string[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token === ')') depth--
    if (depth === 1 && token === ',') parts.push([])
    else if (depth > 0) parts.at(-1)?.push(token)
    if (token === '(') depth++
  }
  return parts
}

function checksIn(part: readonly string[]): string[] {
  const found: string[] = []
  let depth = 0
  let from = -1
  part.forEach((token, i) => {
    if (token === ')' && --depth === 0 && from >= 0) {
      found.push(spelled(part.slice(from, i)))
      from = -1
    }
    if (token === '(' && depth++ === 0 && isWord(part[i - 1] ?? '', 'check')) from = i + 1
  })
  return found
}

function spelled(tokens: readonly string[]): string {
  return tokens
    .map((token) => (token.startsWith("'") ? token : plain(token).toLowerCase()))
    .join(' ')
    .replaceAll(/\( | (?=[),])/g, (space) => space.trim())
}

function plain(token: string): string {
  return /^["`[]/.test(token) ? token.slice(1, -1) : token
}

function isWord(token: string, word: string): boolean {
  return token.toLowerCase() === word
}
