import type { Command } from 'commander'
import type { MessageInfo, Page, Status } from '@pgqrs/core'
import { wholeNumber } from '../command.js'
import { safe } from '../output/escape.js'
import type { Output } from '../output/output.js'
import { toJson } from '../output/json.js'
import type { Column } from '../output/table.js'
import { relative } from '../output/time.js'

/** Options of every command that lists messages, dead letters or runs. */
export interface PageOptions {
  readonly limit: number
  readonly cursor?: string
}

/** Gives a command the options of a page. */
export function addPageOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'items of a page, at most 1000', wholeNumber, 50)
    .option('--cursor <id>', 'the page after this one; the page before says it')
}

/** Gives a command the option `--status`. */
export function addStatusOption(command: Command): Command {
  return command.option(
    '--status <status>',
    'only these: queued, running, paused, cancelling, success, error, cancelled (several: with commas)',
  )
}

/** What the admin takes for these options. */
export function pageOptions({ limit, cursor }: PageOptions): { limit: number; cursor?: string } {
  return { limit, ...(cursor === undefined ? {} : { cursor }) }
}

/** The statuses of `--status`. Core refuses what is none, with the nearest one. */
export function statusOption(text: string | undefined): { status?: Status[] } {
  return text === undefined ? {} : { status: text.split(',').map((one) => one.trim() as Status) }
}

/** Answers with a page: a table and how to get the next one. */
export function answerPage(
  out: Output,
  page: Page<MessageInfo>,
  columns: readonly Column<MessageInfo>[],
  none: string,
): void {
  out.answer(page, () => {
    out.table(columns, page.items, none)
    if (page.next !== undefined) out.line(safe`More with --cursor ${page.next}`)
  })
}

/** Columns that several listings share. */
export function messageColumns(
  out: Output,
): Record<'id' | 'queue' | 'status' | 'key' | 'enqueued', Column<MessageInfo>> {
  return {
    id: { title: 'id', of: (row) => row.id, isWhole: true },
    queue: { title: 'queue', of: (row) => row.queue },
    status: statusColumn(out, (row) => row.status),
    key: { title: 'key', of: (row) => row.key },
    enqueued: { title: 'enqueued', of: (row) => relative(row.enqueuedAt), isWhole: true },
  }
}

/** A column that shows how a message, run or step stands. */
export function statusColumn<Row>({ colors }: Output, of: (row: Row) => string): Column<Row> {
  const paint: Readonly<Record<string, (text: string) => string>> = {
    success: colors.green,
    error: colors.red,
    cancelled: colors.dim,
    cancelling: colors.yellow,
    running: colors.cyan,
    paused: colors.yellow,
  }
  return { title: 'status', of, isWhole: true, color: (text, row) => paint[of(row)]?.(text) ?? text }
}

const LONGEST_PREVIEW = 200

/** A payload or output in one line. */
export function preview(value: unknown): string {
  if (value === undefined) return ''
  const json = toJson(value, 0)
  return json.length > LONGEST_PREVIEW ? `${json.slice(0, LONGEST_PREVIEW)}…` : json
}
