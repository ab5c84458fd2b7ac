import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { millisOf } from './fields.js'
import { prepare } from '../db/prepared.js'
import type { WorkerStatus } from '../status.js'

/** A worker as reads return it. Times are milliseconds since the epoch. */
export interface WorkerRow {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: string
  readonly status: WorkerStatus
  readonly started_at: number
  readonly heartbeat_at: number
  readonly stopped_at: number | null
  /** Milliseconds since the last heartbeat by the database's clock. */
  readonly age_ms: number
  /** Messages it holds at this moment. */
  readonly held: number
}

type Now = { now: number | null }

/** Every statement on workers. */
export function workerQueries(d: SqlDialect) {
  const workers = d.table('pgqrs_workers')
  const messages = d.table('pgqrs_messages')
  const millis = (column: string): RawBuilder<unknown> => millisOf(d, column)
  const held = sql`select w.worker_id, count(*) as held from ${messages} w
    where w.finished_at is null and w.status in ('running', 'cancelling') and w.worker_id is not null group by w.worker_id`

  return {
    register: prepare<
      { id: string; name: string; host: string; pid: number; queues: string } & Now,
      { id: string }
    >(
      d,
      (p) => sql`insert into ${workers} (id, name, host, pid, queues, status, started_at, heartbeat_at)
        values (${p.id}, ${p.name}, ${p.host}, ${p.pid}, ${p.queues}, 'ready', ${d.now(p.now)}, ${d.now(p.now)})
        on conflict (id) do nothing returning id`,
    ),

    /** A sign of life; the answer says what the worker has been told to be. */
    heartbeat: prepare<{ id: string } & Now, { status: WorkerStatus }>(
      d,
      (p) => sql`update ${workers} set heartbeat_at = ${d.now(p.now)} where id = ${p.id} returning status`,
    ),

    /** What the worker has been told to be. */
    status: prepare<{ id: string }, { status: WorkerStatus }>(
      d,
      (p) => sql`select status from ${workers} where id = ${p.id}`,
      { reads: true },
    ),

    /** Moves a worker from one of the states of the JSON array `from` to another. */
    move: prepare<{ id: string; from: string; to: string } & Now, { status: WorkerStatus }>(
      d,
      (p) => sql`update ${workers} set status = ${p.to},
        stopped_at = case when ${p.to} = 'stopped' then ${d.now(p.now)} end
        where id = ${p.id} and ${d.among(sql.ref('status'), p.from, 'text')} returning status`,
    ),

    list: prepare<Now, WorkerRow>(
      d,
      (
        p,
      ) => sql`select id, name, host, pid, queues, status, ${millis('started_at')}, ${millis('heartbeat_at')},
        ${millis('stopped_at')}, ${d.millis(d.now(p.now))} - ${d.millis(sql.ref('heartbeat_at'))} as age_ms,
        coalesce(${d.number(sql.ref('h.held'))}, 0) as held
        from ${workers} left join (${held}) h on h.worker_id = ${sql.ref('pgqrs_workers.id')} order by id`,
      { reads: true, slow: true },
    ),

    /** Ids and leases of what a worker holds. */
    held: prepare<{ id: string }, { id: string; lease_id: string; queue: string }>(
      d,
      (p) => sql`select id, lease_id, queue from ${messages}
        where finished_at is null and status in ('running', 'cancelling') and worker_id = ${p.id}`,
      { reads: true },
    ),

    /** Forgets workers that are stopped or silent for longer than `age_ms` and hold nothing. */
    purge: prepare<{ age_ms: number } & Now, { id: string }>(
      d,
      (p) => sql`delete from ${workers} where heartbeat_at <= ${d.plusMs(d.now(p.now), sql`-1 * ${p.age_ms}`)}
        and id not in (select h.worker_id from (${held}) h) returning id`,
      { slow: true },
    ),
  }
}
