import { decode } from '../codec/decode.js'
import { fromErrorRecord, parseErrorRecord } from '../codec/error-record.js'
import type { Status } from '../status.js'
import type { MessageRow } from '../store/records.js'

/** A message or run as the admin shows it. */
export interface MessageInfo {
  readonly id: string
  readonly queue: string
  readonly status: Status
  readonly priority: number
  readonly key: string | undefined
  readonly payload: unknown
  readonly output: unknown
  /** The last error. */
  readonly error: unknown
  /** Leases granted so far. */
  readonly claims: number
  readonly failures: number
  readonly crashes: number
  readonly workerId: string | undefined
  /** Visible at; while it is held: the end of the lease. */
  readonly visibleAt: Date
  readonly enqueuedAt: Date
  readonly startedAt: Date | undefined
  readonly finishedAt: Date | undefined
}

/** One page of a listing and the cursor of the next. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Give it as `cursor` for the next page; undefined after the last. */
  readonly next: string | undefined
}

/** A row in the words of the admin. */
export function describe(row: MessageRow): MessageInfo {
  return {
    id: row.id,
    queue: row.queue,
    status: row.status,
    priority: row.priority,
    key: row.key ?? undefined,
    payload: decode(row.payload),
    output: row.output === null ? undefined : decode(row.output),
    error: row.error === null ? undefined : fromErrorRecord(parseErrorRecord(row.error)),
    claims: row.claims,
    failures: row.failures,
    crashes: row.crashes,
    workerId: row.worker_id ?? undefined,
    visibleAt: new Date(row.vt),
    enqueuedAt: new Date(row.enqueued_at),
    startedAt: row.started_at === null ? undefined : new Date(row.started_at),
    finishedAt: row.finished_at === null ? undefined : new Date(row.finished_at),
  }
}
