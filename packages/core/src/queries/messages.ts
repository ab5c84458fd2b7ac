import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { messageFields, millisOf } from './fields.js'
import { prepare, prepareBatch, type Params } from '../db/prepared.js'
import type { Status } from '../db/schema.js'

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

/** The end of a lease, with the outcome. */
export interface Finish {
  readonly id: string
  readonly lease_id: string
  readonly status: 'success' | 'error' | 'cancelled'
  readonly output: string | null
  readonly error: string | null
  /** 1 when a handler threw. */
  readonly failed: number
}

/** The end of a lease, with the message back in its queue or paused. */
export interface Release {
  readonly id: string
  readonly lease_id: string
  readonly status: 'queued' | 'paused'
  readonly delay_ms: number
  readonly at_ms: number | null
  readonly error: string | null
  readonly failed: number
  /** Do not pause when one of these steps (JSON array) has been recorded meanwhile: the resume came first. */
  readonly unless_steps: string | null
}

/** How a message ended. */
export interface OutcomeRow {
  readonly id: string
  readonly queue: string
  readonly status: Status
  readonly output: string | null
  readonly error: string | null
}

/** A message as reads return it. Times are milliseconds since the epoch. */
export interface MessageRow {
  readonly id: string
  readonly queue: string
  readonly status: Status
  readonly priority: number
  readonly key: string | null
  readonly payload: string
  readonly output: string | null
  readonly error: string | null
  readonly claims: number
  readonly failures: number
  readonly crashes: number
  readonly lease_id: string | null
  readonly worker_id: string | null
  readonly vt: number
  readonly enqueued_at: number
  readonly started_at: number | null
  readonly finished_at: number | null
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

/** Every statement that moves a message, except taking a lease. */
export function messageQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const steps = d.table('pgqrs_steps')
  const held = sql`pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
    and pgqrs_messages.status in ('running', 'cancelling')`
  const millis = (column: string): RawBuilder<unknown> => millisOf(d, column)
  const fields = messageFields(d)
  const tallyOf = sql`pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status`
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

    /** Archives, fails or cancels what the caller holds. A message asked to cancel ends cancelled, whatever came out. */
    finish: prepareBatch<Finish, Now, { id: string; status: Status }>(
      d,
      { id: 'uuid', lease_id: 'uuid', status: 'text', output: 'text', error: 'text', failed: 'int' },
      (rows, p) =>
        d.tallied(
          sql`update ${messages} set
          status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
          output = case when pgqrs_messages.status = 'cancelling' then null else r.output end,
          error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else r.error end,
          failures = failures + r.failed, finished_at = ${d.now(p.now)}
          from ${rows} where ${held}
          returning pgqrs_messages.id, pgqrs_messages.status, ${tallyOf}`,
          1,
        ),
    ),

    /** Gives back what the caller holds. A message asked to cancel ends cancelled instead. */
    release: prepareBatch<Release, Now, { id: string; status: Status }>(
      d,
      {
        id: 'uuid',
        lease_id: 'uuid',
        status: 'text',
        delay_ms: 'float',
        at_ms: 'float',
        error: 'text',
        failed: 'int',
        unless_steps: 'text',
      },
      (rows, p) =>
        d.tallied(
          sql`update ${messages} set
          status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
          finished_at = case when pgqrs_messages.status = 'cancelling' then ${d.now(p.now)} end,
          error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else coalesce(r.error, pgqrs_messages.error) end,
          failures = failures + r.failed,
          vt = coalesce(${d.time(sql.ref('r.at_ms'))}, ${d.plusMs(d.now(p.now), sql.ref('r.delay_ms'))})
          from ${rows} where ${held} and (r.unless_steps is null or not exists (
            select 1 from ${steps} s where s.run_id = r.id and ${d.among(sql.ref('s.name'), sql.ref('r.unless_steps'), 'text')}))
          returning pgqrs_messages.id, pgqrs_messages.status, ${tallyOf}`,
          1,
        ),
    ),

    /** Prolongs unexpired leases, counted from now; says which messages were asked to cancel. */
    extend: prepareBatch<
      { id: string; lease_id: string; lease_ms: number },
      Now,
      { id: string; status: Status; vt: number }
    >(
      d,
      { id: 'uuid', lease_id: 'uuid', lease_ms: 'float' },
      (rows, p) => sql`update ${messages} set vt = ${d.plusMs(d.now(p.now), sql.ref('r.lease_ms'))}
        from ${rows} where ${held} and pgqrs_messages.vt > ${d.now(p.now)}
        returning pgqrs_messages.id, pgqrs_messages.status, ${millis('vt')}`,
    ),

    /** Finishes and drops what the caller holds. */
    remove: prepareBatch<{ id: string; lease_id: string }, Now, { id: string }>(
      d,
      { id: 'uuid', lease_id: 'uuid' },
      // The first condition finds the row by its id, the second is the fence.
      (rows) => sql`delete from ${messages} where id in (select r.id from ${rows})
        and exists (select 1 from ${rows} where ${held}) returning id`,
    ),

    /** Asks to cancel. What nobody holds is cancelled at once. */
    cancel: prepare<
      { ids: string; error: string; now: number | null },
      { id: string; queue: string; status: Status }
    >(d, (p) =>
      d.tallied(
        sql`update ${messages} set
          status = case when status in ('running', 'cancelling') then 'cancelling' else 'cancelled' end,
          finished_at = case when status in ('running', 'cancelling') then null else ${d.now(p.now)} end,
          error = case when status = 'cancelling' then error else ${p.error} end
          where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is null
          returning id, queue, status, ${tallyOf}`,
        1,
      ),
    ),

    /** Finishes, without a lease, what nobody holds. */
    archive: prepare<{ ids: string; now: number | null }, { id: string; queue: string }>(d, (p) =>
      d.tallied(
        sql`update ${messages} set status = 'success', finished_at = ${d.now(p.now)}
          where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is null
            and (status in ('queued', 'paused') or vt <= ${d.now(p.now)})
          returning id, queue, ${tallyOf}`,
        1,
      ),
    ),

    /** Takes messages back from workers that are silent for longer than `age_ms`, before their leases lapse. */
    reclaim: prepare<{ age_ms: number; now: number | null }, { id: string; queue: string }>(
      d,
      (p) => sql`update ${messages} set vt = ${d.now(p.now)}
        where finished_at is null and status in ('running', 'cancelling') and vt > ${d.now(p.now)} and worker_id in (
          select w.id from ${d.table('pgqrs_workers')} w
          where w.heartbeat_at <= ${d.plusMs(d.now(p.now), sql`-1 * ${p.age_ms}`)})
        returning id, queue`,
    ),

    /*
     * Wakes a paused run. It updates the row even when it is not paused: that waits for a pause which is being
     * committed this moment, and then sees it.
     */
    wake: prepare<{ id: string; now: number | null }, { id: string; queue: string; status: Status }>(
      d,
      (p) => sql`update ${messages} set
        status = case when status = 'paused' then 'queued' else status end,
        vt = case when status = 'paused' then ${d.now(p.now)} else vt end
        where id = ${p.id} and finished_at is null returning id, queue, status`,
    ),

    /** Puts dead letters back into their queues with a clean slate. Their counts of finished messages go down. */
    replay: prepare<{ ids: string; now: number | null }, { id: string; queue: string }>(d, (p) =>
      d.tallied(
        sql`update ${messages} set status = 'queued', vt = ${d.now(p.now)}, failures = 0, crashes = 0,
          error = null, output = null, finished_at = null, lease_id = null, worker_id = null
          where ${d.among(sql.ref('id'), p.ids, 'uuid')} and status = 'error'
          returning id, queue, queue as tally_queue, 'error' as tally_status`,
        -1,
      ),
    ),

    /** Messages by id. */
    get: prepare<{ ids: string }, MessageRow>(
      d,
      (p) => sql`select ${fields} from ${messages} where ${d.among(sql.ref('id'), p.ids, 'uuid')}`,
      { reads: true },
    ),

    /** Outcomes of those messages that have finished. */
    outcomes: prepare<{ ids: string }, OutcomeRow>(
      d,
      (p) => sql`select id, queue, status, output, error from ${messages}
        where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is not null`,
      { reads: true },
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

/** How a point in time far beyond any plan is stored: a pause without an end. In ms since the epoch. */
export const NEVER_MS = 253_402_300_799_000
