import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { millisOf } from './fields.js'
import { prepare, prepareBatch, type Params } from '../db/prepared.js'
import type { Status, StepKind, StepStatus } from '../status.js'
import { historyCells } from './claims.js'

/** A checkpoint on its way in. */
export interface NewCheckpoint {
  readonly run_id: string
  readonly lease_id: string
  readonly name: string
  readonly kind: StepKind
  readonly status: StepStatus
  readonly output: string | null
  readonly error: string | null
  readonly failures: number
  /** A sleep ends this many ms after now … */
  readonly wake_in_ms: number | null
  /** … or at this time, ms since the epoch. */
  readonly wake_at_ms: number | null
  readonly position: number
  readonly seen: number
}

/** The end of a pause, from outside. */
export interface NewSignal {
  readonly run_id: string
  readonly name: string
  readonly output: string
  /** Below zero: says that it came from outside, and from which call. */
  readonly mark: number
  readonly now: number | null
}

/** One checkpoint of a run's history, cell by cell as the claim brings it along. */
export type HistoryRow = readonly [
  name: string,
  kind: StepKind,
  status: StepStatus,
  output: string | null,
  error: string | null,
  failures: number,
  wakeAtMs: number | null,
  position: number,
  seen: number,
]

/** The answer to a recorded checkpoint. */
export interface RecordedRow {
  readonly run_id: string
  readonly name: string
  readonly run_status: Status
  readonly wake_at: number | null
}

/** A checkpoint as listings show it. Times are milliseconds since the epoch. */
export interface StepRow {
  readonly name: string
  readonly kind: StepKind
  readonly status: StepStatus
  readonly output: string | null
  readonly error: string | null
  readonly failures: number
  readonly wake_at: number | null
  readonly recorded_at: number
}

/** Every statement on checkpoints. */
export function stepQueries(d: SqlDialect) {
  const steps = d.table('pgqrs_steps')
  const messages = d.table('pgqrs_messages')
  const columns = sql`run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at`
  const millis = (column: string): RawBuilder<unknown> => millisOf(d, column)

  return {
    /*
     * Records checkpoints of runs the caller holds. The row of the run is kept from changing hands until the commit,
     * so a zombie cannot slip in beside the next holder. The first final result stays for ever.
     */
    record: prepareBatch<NewCheckpoint, { now: number | null }, RecordedRow>(
      d,
      {
        run_id: 'uuid',
        lease_id: 'uuid',
        name: 'text',
        kind: 'text',
        status: 'text',
        output: 'text?',
        error: 'text?',
        failures: 'int',
        wake_in_ms: 'float?',
        wake_at_ms: 'float?',
        position: 'int',
        seen: 'int',
      },
      (rows, p) => sql`insert into ${steps} (${columns})
        select r.run_id, r.name, r.kind, r.status, r.output, r.error, r.failures,
          coalesce(${d.time(sql.ref('r.wake_at_ms'))}, ${d.plusMs(d.now(p.now), sql.ref('r.wake_in_ms'))}),
          r.position, r.seen, ${d.now(p.now)}
        from ${rows}, ${messages} m
        where m.id = r.run_id and m.lease_id = r.lease_id and m.status in ('running', 'cancelling')
        ${d.holdRow}
        on conflict (run_id, name) do update set
          status = excluded.status, output = excluded.output, error = excluded.error, failures = excluded.failures,
          wake_at = excluded.wake_at, recorded_at = excluded.recorded_at
          where pgqrs_steps.status = 'retrying'
        returning run_id, name, ${millis('wake_at')},
          (select q.status from ${messages} q where q.id = pgqrs_steps.run_id) as run_status`,
    ),

    /** Records the signal a paused run waits for, whether it waits already or not. Taken once. */
    signal: prepare<NewSignal, { name: string }>(
      d,
      (p) => sql`insert into ${steps} (${columns})
        select m.id, ${p.name}, 'pause', 'success', ${p.output}, null, 0, null,
          (select coalesce(max(s.position), 0) + 1 from ${steps} s where s.run_id = m.id), cast(${p.mark} as integer), ${d.now(p.now)}
        from ${messages} m where m.id = ${p.run_id} and m.finished_at is null
        on conflict (run_id, name) do nothing returning name`,
    ),

    /** Takes the fence of a run for the rest of a transaction: nobody can claim the run before its end. */
    hold: prepare<{ id: string; lease_id: string }, { status: Status }>(
      d,
      (p) => sql`${heldRun(d, p)} ${d.holdRow}`,
    ),

    /** Takes the fence after every transaction that held it, also one whose end nobody has heard of, is over. */
    seize: prepare<{ id: string; lease_id: string }, { status: Status }>(
      d,
      (p) => sql`${heldRun(d, p)} ${d.seizeRow}`,
    ),

    /** The history of one run, as a claim brings it along. */
    history: prepare<{ run_id: string }, { history: string | null }>(
      d,
      (p) => sql`select ${d.jsonArrays(historyCells(d), sql.ref('s.position'))} as history
        from ${steps} s where s.run_id = ${p.run_id}`,
      { reads: true },
    ),

    /** The checkpoints of a run in the order of recording. */
    list: prepare<{ run_id: string }, StepRow>(
      d,
      (
        p,
      ) => sql`select name, kind, status, output, error, failures, ${millis('wake_at')}, ${millis('recorded_at')}
        from ${steps} where run_id = ${p.run_id} order by position, name`,
      { reads: true },
    ),

    /** Forgets one failed step of a run the caller holds, so that the retry of the run runs it again. */
    forget: prepare<{ run_id: string; lease_id: string; name: string }, { name: string }>(
      d,
      (p) => sql`delete from ${steps} where run_id = ${p.run_id} and name = ${p.name} and status <> 'success'
        and exists (select 1 from ${messages} m where m.id = run_id and m.lease_id = ${p.lease_id}
          and m.status in ('running', 'cancelling')) returning name`,
    ),

    /** Forgets one failed step of a run that has failed for good. */
    forgetOfFailed: prepare<{ run_id: string; name: string }, { name: string }>(
      d,
      (p) => sql`delete from ${steps} where run_id = ${p.run_id} and name = ${p.name} and status <> 'success'
        and exists (select 1 from ${messages} m where m.id = run_id and m.status = 'error') returning name`,
    ),
  }
}

function heldRun(d: SqlDialect, p: Params<{ id: string; lease_id: string }>): RawBuilder<unknown> {
  return sql`select m.status from ${d.table('pgqrs_messages')} m
    where m.id = ${p.id} and m.lease_id = ${p.lease_id} and m.status in ('running', 'cancelling')`
}
