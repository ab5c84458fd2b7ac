import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare, prepareBatch } from '../db/prepared.js'
import type { Status } from '../status.js'
import { millisOf } from './fields.js'

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

type Now = { now: number | null }

/** Statements of a holder: each carries the grant, and touches nothing when the grant is no longer the row's. */
export function leaseQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')
  const steps = d.table('pgqrs_steps')
  const held = sql`pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
    and pgqrs_messages.status in ('running', 'cancelling')`
  const tallyOf = sql`pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status`

  return {
    /** Archives, fails or cancels what the caller holds. A message asked to cancel ends cancelled, whatever came out. */
    finish: prepareBatch<Finish, Now, { id: string; status: Status }>(
      d,
      { id: 'uuid', lease_id: 'uuid', status: 'text', output: 'text?', error: 'text?', failed: 'int' },
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

    /** Which of these messages have been asked to cancel, and under which grant they are held. */
    cancelling: prepare<{ ids: string }, { id: string; lease_id: string }>(
      d,
      (p) => sql`select id, lease_id from ${messages}
        where ${d.among(sql.ref('id'), p.ids, 'uuid')} and status = 'cancelling'`,
      { reads: true },
    ),

    /** Gives back what the caller holds. A message asked to cancel ends cancelled instead. */
    release: prepareBatch<Release, Now, { id: string; status: Status }>(
      d,
      {
        id: 'uuid',
        lease_id: 'uuid',
        status: 'text',
        delay_ms: 'float',
        at_ms: 'float?',
        error: 'text?',
        failed: 'int',
        unless_steps: 'text?',
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
        returning pgqrs_messages.id, pgqrs_messages.status, ${millisOf(d, 'vt')}`,
    ),

    /** Finishes and drops what the caller holds, also when it was asked to cancel. */
    remove: removing(sql`'running', 'cancelling'`),

    /** Finishes and drops what the caller holds, but not what was asked to cancel. */
    removeUncancelled: removing(sql`'running'`),
  }

  function removing(statuses: RawBuilder<unknown>) {
    return prepareBatch<{ id: string; lease_id: string }, Now, { id: string }>(
      d,
      { id: 'uuid', lease_id: 'uuid' },
      (rows) => sql`delete from ${messages} where (id, lease_id) in (select r.id, r.lease_id from ${rows})
        and status in (${statuses}) returning id`,
    )
  }
}
