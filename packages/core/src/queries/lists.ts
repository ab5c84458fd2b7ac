import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { messageFields } from './fields.js'
import { prepare, type Params } from '../db/prepared.js'
import type { MessageRow } from './messages.js'

export interface ListArgs {
  /** JSON array of queue names. */
  queues: string
  /** JSON array of statuses. */
  statuses: string
  /** Only ids below this one: the cursor. */
  before: string
  limit: number
}

const walk = { reads: true, slow: true }

/** Pages over messages and runs, newest first. */
export function listQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const fields = messageFields(d)
  const page = (p: Params<ListArgs>, more: RawBuilder<unknown>): RawBuilder<unknown> => sql`
    select ${fields} from ${messages} where id < ${p.before} and ${d.among(sql.ref('queue'), p.queues, 'text')}
      and ${d.among(sql.ref('status'), p.statuses, 'text')} ${more} order by id desc limit ${p.limit}`

  return {
    all: prepare<ListArgs, MessageRow>(d, (p) => page(p, sql``), walk),
    /** Only what has not finished: served by the index of live messages. */
    live: prepare<ListArgs, MessageRow>(d, (p) => page(p, sql`and finished_at is null`), walk),
    /** Only what has finished. */
    finished: prepare<ListArgs, MessageRow>(d, (p) => page(p, sql`and finished_at is not null`), walk),
  }
}

/** Above every id: the cursor of the first page. */
export const FIRST_PAGE = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
