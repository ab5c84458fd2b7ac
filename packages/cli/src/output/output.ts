import pc from 'picocolors'
import { terminalWidth, type Io, type OutputStream } from '../io.js'
import { escapeText, type SafeText } from './escape.js'
import { toJson } from './json.js'
import { renderTable, type Column } from './table.js'

type Colors = ReturnType<typeof pc.createColors>

/** A value of {@link Output.details}: a text, or lines that stay lines. */
export type Detail = string | number | undefined | { readonly lines: readonly string[] }

/** Standard output: for people, or one JSON document. Whatever comes from the database is escaped here. */
export class Output {
  readonly colors: Colors

  constructor(
    private readonly stdout: OutputStream,
    readonly isJson: boolean,
    color: boolean,
  ) {
    this.colors = pc.createColors(color)
  }

  /** Answers with `value` as JSON, or lets `forPeople` write. */
  answer(value: unknown, forPeople: () => void): void {
    if (this.isJson) this.write(toJson(value))
    else forPeople()
  }

  /** Writes a line. */
  line({ text }: SafeText): void {
    this.write(text)
  }

  /** Writes a table, or `none` when there is no row. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], none: string): void {
    if (rows.length === 0) {
      this.write(this.colors.dim(none))
      return
    }
    this.write(renderTable(columns, rows, { width: terminalWidth(this.stdout), title: this.colors.bold }))
  }

  /** Writes names and values, one below the other; undefined values are left out. */
  details(pairs: readonly (readonly [string, Detail])[]): void {
    const shown = pairs.filter(([, value]) => value !== undefined)
    const width = Math.max(...shown.map(([name]) => name.length)) + 2
    for (const [name, value] of shown) {
      const lines = typeof value === 'object' ? value.lines : [String(value)]
      lines.forEach((line, i) => {
        this.write(`${this.colors.bold((i === 0 ? name : '').padEnd(width))}${escapeText(line)}`)
      })
    }
  }

  /** Writes a value as JSON over several lines. */
  value(value: unknown): void {
    this.write(toJson(value))
  }

  /** An empty line between two parts. */
  gap(): void {
    this.write('')
  }

  private write(line: string): void {
    this.stdout.write(`${line}\n`)
  }
}

/** A value as a detail: JSON over several lines, or nothing. */
export function jsonLines(value: unknown): Detail {
  return value === undefined ? undefined : { lines: toJson(value).split('\n') }
}

/** A recorded error as a detail: what it said and, when it is known, where. */
export function errorLines(error: unknown): Detail {
  if (error === undefined) return undefined
  if (!(error instanceof Error)) return jsonLines(error)
  const head = errorLine(error)
  const at = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  return { lines: [head, ...at] }
}

/** A recorded error in one line. */
export function errorLine(error: unknown): string {
  if (error === undefined) return ''
  if (!(error instanceof Error)) return toJson(error, 0)
  const code = (error as { code?: unknown }).code
  const shown = typeof code === 'string' || typeof code === 'number' ? ` [${code}]` : ''
  return `${error.name}${shown}: ${error.message}`
}

/** Whether colours are wanted: on a terminal, unless somebody says no. */
export function wantsColor({ stdout }: Io, option: boolean): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (!option || (NO_COLOR !== undefined && NO_COLOR !== '')) return false
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true
  return stdout.isTTY === true && TERM !== 'dumb'
}
