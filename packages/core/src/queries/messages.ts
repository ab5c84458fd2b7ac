import { sql } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare } from '../db/prepared.js'
import type { Status } from '../status.js'
import { messageFields } from './fields.js'

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

/** How a message ended. */
export interface OutcomeRow {
  readonly id: string
  readonly queue: string
  readonly status: Status
  readonly output: string | null
  readonly error: string | null
}

/** Statements on messages whoever holds them, and looks at them. */
export function messageQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const fields = messageFields(d)
  const tallyOf = sql`pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status`

  return {
    /** Asks to cancel. What nobody holds, be it because the lease has lapsed, is cancelled at once. */
    cancel: prepare<
      { ids: string; error: string; now: number | null },
      { id: string; queue: string; status: Status }
    >(d, (p) => {
      const held = sql`status in ('running', 'cancelling') and vt > ${d.now(p.now)}`
      return d.tallied(
        sql`update ${messages} set
          status = case when ${held} then 'cancelling' else 'cancelled' end,
          finished_at = case when ${held} then null else ${d.now(p.now)} end,
          error = case when status = 'cancelling' then error else ${p.error} end
          where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is null
          returning id, queue, status, ${tallyOf}`,
        1,
      )
    }),

    /** Finishes, without a lease, what nobody holds. What was asked to cancel ends cancelled. */
    archive: prepare<{ ids: string; now: number | null }, { id: string; queue: string; status: Status }>(
      d,
      (p) =>
        d.tallied(
          sql`update ${messages} set status = case when status = 'cancelling' then 'cancelled' else 'success' end, finished_at = ${d.now(p.now)}
          where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is null
            and (status in ('queued', 'paused') or vt <= ${d.now(p.now)})
          returning id, queue, status, ${tallyOf}`,
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
      { slow: true },
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

    /** Outcomes of those messages that have finished; of those in `first` also where the others stand. */
    outcomes: prepare<{ ids: string; first: string }, OutcomeRow>(
      d,
      (p) => sql`select id, queue, status, output, error from ${messages}
        where ${d.among(sql.ref('id'), p.ids, 'uuid')} and finished_at is not null
        union all select id, queue, status, output, error from ${messages}
        where ${d.among(sql.ref('id'), p.first, 'uuid')}`,
      { reads: true },
    ),
  }
}

/** How a point in time far beyond any plan is stored: a pause without an end. In ms since the epoch. */
export const NEVER_MS = 253_402_300_799_000
