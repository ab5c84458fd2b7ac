import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'

/** A time column as milliseconds since the epoch, under its own name. */
export function millisOf(d: SqlDialect, column: string): RawBuilder<unknown> {
  return sql`${d.millis(sql.ref(column))} as ${sql.id(column)}`
}

/** The columns of a message that reads return: see `MessageRow`. */
export function messageFields(d: SqlDialect): RawBuilder<unknown> {
  const times = ['vt', 'enqueued_at', 'started_at', 'finished_at'].map((column) => millisOf(d, column))
  return sql`id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
    ${sql.join(times)}`
}
