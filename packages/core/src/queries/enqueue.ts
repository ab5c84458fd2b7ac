import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare, prepareBatch, type Batch, type Params } from '../db/prepared.js'
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
  at_ms: 'float?',
  key: 'text?',
  key_kept: 'boolean',
  payload: 'text',
} as const

type Now = { now: number | null }

/** Statements that bring messages in. */
export function enqueueQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const fields = messageFields(d)
  const insert = (
    rows: RawBuilder<unknown>,
    p: Params<Now>,
    condition: RawBuilder<unknown> = sql`true`,
  ): RawBuilder<unknown> => sql`
    insert into ${messages} as pgqrs_messages
      (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
    select r.id, r.queue, 'queued', r.priority,
      coalesce(${d.time(sql.ref('r.at_ms'))}, ${d.plusMs(d.now(p.now), sql.ref('r.delay_ms'))}),
      r.key, r.key_kept, r.payload, ${d.now(p.now)} from ${rows} where ${condition}`

  return {
    /** Inserts; a message whose id or key is there already is left out of the answer. */
    enqueue: byKey(
      prepareBatch<NewMessage, Now, { id: string }>(
        d,
        newMessage,
        (rows, p) => sql`${insert(rows, p)} on conflict do nothing returning id`,
      ),
    ),

    /**
     * Inserts; fails when an id or key is there already, and with it everything that was sent along. Returns nothing.
     * Cheaper than {@link enqueue} by a fifth, so it carries what nothing can stand in the way of.
     */
    enqueueStrictly: byKey(prepareBatch<NewMessage, Now, never>(d, newMessage, (rows, p) => insert(rows, p))),

    /**
     * Inserts, or gives the message that waits under the same key this payload, priority and time. A message whose id
     * is there already is left out of the answer.
     */
    enqueueOrReplace: prepareBatch<NewMessage, Now, { id: string; key: string | null }>(
      d,
      newMessage,
      (rows, p) => sql`${insert(rows, p, sql`not exists (select 1 from ${messages} m where m.id = r.id)`)}
        on conflict (queue, key) where key is not null and (key_kept or finished_at is null)
        do update set payload = excluded.payload, priority = excluded.priority, vt = excluded.vt
        where pgqrs_messages.status = 'queued' returning id, key`,
    ),

    /** Who holds a key, one row for each (queue, key) of the JSON rows that is taken. */
    holdersOfKeys: prepare<{ keys: string }, MessageRow>(
      d,
      (p) => sql`select ${fields}
        from ${d.jsonRows(p.keys, { of_queue: 'text', of_key: 'text' }, 'k')} cross join ${messages}
        where queue = k.of_queue and key = k.of_key and key is not null and (key_kept or finished_at is null)`,
      { reads: true },
    ),
  }
}

/** Two batches that share keys then wait for one another, and do not end in a deadlock. */
function byKey<Row>(batch: Batch<NewMessage, Now, Row>): Batch<NewMessage, Now, Row> {
  const bind: typeof batch.bind = (items, args) =>
    batch.bind(items.some(({ key }) => key !== null) ? items.toSorted(compareKeys) : items, args)
  return { ...batch, bind }
}

function compareKeys(a: NewMessage, b: NewMessage): number {
  return compare(a.key ?? '', b.key ?? '') || compare(a.queue, b.queue)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
