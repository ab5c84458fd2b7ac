import Table from 'cli-table3'
import { escapeText } from './escape.js'

/** A column: its title, what it shows of a row, and how. */
export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => string | number | undefined
  readonly align?: 'right'
  /** Never cut off: ids and names are there to be copied. */
  readonly isWhole?: boolean
  /** Colours the text, which is escaped by then. */
  readonly color?: (text: string, row: Row) => string
}

/** How wide a table may be, and how its titles look. */
export interface TableStyle {
  /** Undefined: as wide as it needs to be, when nobody looks at it on a terminal. */
  readonly width: number | undefined
  readonly title: (text: string) => string
}

const GAP = 2
const NARROWEST = 8

/** A table for people; every cell is escaped. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: TableStyle,
): string {
  const cells = rows.map((row) => columns.map((column) => escapeText(String(column.of(row) ?? ''))))
  const natural = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((line) => displayWidth(line[i] ?? ''))),
  )
  const widths = fit(natural, columns, style.width)
  const table = new Table({
    chars: { ...noBorder, middle: ' '.repeat(GAP) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colWidths: widths,
    colAligns: columns.map((column) => column.align ?? 'left'),
    head: columns.map((column) => style.title(column.title.toUpperCase())),
  })
  rows.forEach((row, r) => {
    const line = cells[r] ?? []
    table.push(columns.map((column, i) => column.color?.(line[i] ?? '', row) ?? line[i] ?? ''))
  })
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Narrows the widest columns that may be cut until the table fits. */
function fit<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number | undefined,
): number[] {
  const widths = [...natural]
  const available = (width ?? Number.POSITIVE_INFINITY) - GAP * (widths.length - 1)
  for (let over = sum(widths) - available; over > 0; over--) {
    const candidates = widths.map((w, i) => (columns[i]?.isWhole === true || w <= NARROWEST ? 0 : w))
    const widest = Math.max(...candidates)
    if (widest === 0) break
    widths[candidates.indexOf(widest)] = widest - 1
  }
  return widths
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0)
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}]/u

function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += wide.test(character) ? 2 : 1
  return width
}

const noBorder = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
}
