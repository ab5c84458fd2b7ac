import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare, prepareBatch, type Params } from '../db/prepared.js'
import { messageFields } from './fields.js'
import type { MessageRow } from './messages.js'

/** A message on its way in. */
export interface NewMessage {
  readonly id: string
  readonly queue: string
  readonly priority: number
  /** Becomes visible after this many ms … */
  readonly delay_ms: number
  /** … or at this time, ms since the epoch. */
  readonly at_ms: number | null
  readonly key: string | null
  readonly key_kept: boolean
  readonly payload: string
}

const newMessage = {
  id: 'uuid',
  queue: 'text',
  priority: 'int',
  delay_ms: 'float',
  at_ms: 'float',
  key: 'text',
  key_kept: 'boolean',
  payload: 'text',
} as const

type Now = { now: number | null }

/** Statements that bring messages in. */
export function enqueueQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const fields = messageFields(d)
  const insert = (rows: RawBuilder<unknown>, p: Params<Now>): RawBuilder<unknown> => sql`
    insert into ${messages} as pgqrs_messages
      (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
    select r.id, r.queue, 'queued', r.priority,
      coalesce(${d.time(sql.ref('r.at_ms'))}, ${d.plusMs(d.now(p.now), sql.ref('r.delay_ms'))}),
      r.key, r.key_kept, r.payload, ${d.now(p.now)} from ${rows} where true`

  return {
    /** Inserts; a message whose id or key is there already is left out of the answer. */
    enqueue: prepareBatch<NewMessage, Now, { id: string }>(
      d,
      newMessage,
      (rows, p) => sql`${insert(rows, p)} on conflict do nothing returning id`,
    ),

    /** Inserts, or gives the message that waits under the same key this payload, priority and time. */
    enqueueOrReplace: prepareBatch<NewMessage, Now, { id: string; key: string | null }>(
      d,
      newMessage,
      (rows, p) => sql`${insert(rows, p)}
        on conflict (queue, key) where key is not null and (key_kept or finished_at is null)
        do update set payload = excluded.payload, priority = excluded.priority, vt = excluded.vt
        where pgqrs_messages.status = 'queued' returning id, key`,
    ),

    /** Who holds a key, one row for each (queue, key) of the JSON rows that is taken. */
    holdersOfKeys: prepare<{ keys: string }, MessageRow>(
      d,
      (
        p,
      ) => sql`select ${fields} from ${messages} where key is not null and (key_kept or finished_at is null) and exists (
        select 1 from ${d.jsonRows(p.keys, { queue: 'text', key: 'text' }, 'k')}
        where k.queue = pgqrs_messages.queue and k.key = pgqrs_messages.key)`,
      { reads: true },
    ),
  }
}
