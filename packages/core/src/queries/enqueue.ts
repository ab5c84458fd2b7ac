import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare, prepareBatch, type Batch, type Params } from '../db/prepared.js'
import { messageFields, millisOf } from './fields.js'
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

/** A message on its way in, and the grant under which somebody may hold it from the start. */
export interface HandedMessage extends NewMessage {
  /** Null for who is to be handed to nobody. */
  readonly lease_id: string | null
  readonly lease_ms: number | null
  readonly worker_id: string | null
}

/** What became of a {@link HandedMessage} that is there now. */
export interface HandedRow {
  readonly id: string
  /** Null when it waits in its queue like any other. */
  readonly lease_id: string | null
  /** Times are milliseconds since the epoch. */
  readonly vt: number
  readonly enqueued_at: number
}

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
     * Inserts, and grants the lease a message brings along in the same stroke, if nothing in its queue can come before
     * it. A message whose id or key is there already is left out of the answer.
     */
    enqueueHanded: handedFirst(
      prepareBatch<HandedMessage, Now, HandedRow>(
        d,
        { ...newMessage, lease_id: 'uuid?', lease_ms: 'float?', worker_id: 'uuid?' },
        (rows, p) => sql`
          insert into ${messages} as pgqrs_messages (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at,
            due_at, claims, lease_id, worker_id, started_at)
          with handed as materialized (
            select r.*, case when r.lease_id is not null and ${isNext(p)} then r.lease_id end as granted from ${rows}
          )
          select h.id, h.queue, case when h.granted is null then 'queued' else 'running' end, h.priority,
            case when h.granted is null
              then coalesce(${d.time(sql.ref('h.at_ms'))}, ${d.plusMs(d.now(p.now), sql.ref('h.delay_ms'))})
              else ${d.plusMs(d.now(p.now), sql.ref('h.lease_ms'))} end,
            h.key, h.key_kept, h.payload, ${d.now(p.now)}, ${ifGranted(d.now(p.now))},
            case when h.granted is null then 0 else 1 end, h.granted, ${ifGranted(sql`h.worker_id`)},
            ${ifGranted(d.now(p.now))}
          from handed h where true
          on conflict do nothing
          returning id, lease_id, ${millisOf(d, 'vt')}, ${millisOf(d, 'enqueued_at')}`,
      ),
    ),

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

  /*
   * Whether a claim from this message's queue would take it before everything that is there. What a higher lane holds
   * may not be due: to find that out would cost more than it saves. No `exists`: the planner would hash the whole table.
   */
  function isNext(p: Params<Now>): RawBuilder<boolean> {
    return sql`(select q.paused_at from ${d.table('pgqrs_queues')} q where q.name = r.queue) is null
      and coalesce((select m.priority from ${messages} m where m.queue = r.queue and m.finished_at is null
        order by m.priority desc limit 1), r.priority) <= r.priority
      and (select m.id from ${messages} m where m.queue = r.queue and m.priority = r.priority
        and m.finished_at is null and m.vt <= ${d.now(p.now)} order by m.vt limit 1) is null`
  }
}

function ifGranted(value: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when h.granted is not null then ${value} end`
}

/**
 * What is handed over has no key, and leaves first, the least urgent before the others: where each message is a statement
 * of its own, none then finds another of its batch in its way.
 */
function handedFirst<Row>(batch: Batch<HandedMessage, Now, Row>): Batch<HandedMessage, Now, Row> {
  const compareTurns = (a: HandedMessage, b: HandedMessage): number => {
    if (a.lease_id === null || b.lease_id === null) {
      return a.lease_id === b.lease_id ? compareKeys(a, b) : a.lease_id === null ? 1 : -1
    }
    return a.priority - b.priority
  }
  return { ...batch, bind: (items, args) => batch.bind(items.toSorted(compareTurns), args) }
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
