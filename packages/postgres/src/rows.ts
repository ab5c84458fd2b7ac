import type { Row } from '@pgqrs/core/driver'

const SNAKE = /^[a-z0-9_]*$/

/**
 * The rows of a statement of ours with the names it gave its columns, when the application's client turns names into
 * camelCase, PascalCase or kebab-case on their way in.
 */
export function snakeCased(rows: Row[]): Row[] {
  const [row] = rows
  if (row === undefined || Object.keys(row).every((name) => SNAKE.test(name))) return rows
  return rows.map((r) => Object.fromEntries(Object.entries(r).map(([name, value]) => [toSnake(name), value])))
}

function toSnake(name: string): string {
  return name
    .replaceAll('-', '_')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/^_/, '')
}
