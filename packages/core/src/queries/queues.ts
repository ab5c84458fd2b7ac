import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { millisOf } from './fields.js'
import { prepare } from '../db/prepared.js'

/** A queue as reads return it. Times are milliseconds since the epoch. */
export interface QueueRow {
  readonly name: string
  readonly kind: 'queue' | 'workflow'
  readonly paused_at: number | null
  readonly created_at: number
}

/** Counts of one queue. */
export interface QueueMetricsRow {
  readonly queue: string
  readonly ready: number
  readonly delayed: number
  readonly leased: number
  readonly paused: number
  /** Age of the message that has been due longest, in ms. */
  readonly oldest_ms: number | null
}

type Now = { now: number | null }

/** Every statement on queues as a whole. */
export function queueQueries(d: SqlDialect) {
  const queues = d.table('pgqrs_queues')
  const messages = d.table('pgqrs_messages')
  const steps = d.table('pgqrs_steps')
  const tallies = d.table('pgqrs_tallies')
  const millis = (column: string): RawBuilder<unknown> => millisOf(d, column)
  const fields = sql`name, kind, ${millis('paused_at')}, ${millis('created_at')}`
  const count = (condition: RawBuilder<unknown>): RawBuilder<number> =>
    d.number(sql`count(*) filter (where ${condition})`)

  return {
    /** Makes a queue known. A queue that turns out to be a workflow's becomes one; never the other way round. */
    ensure: prepare<{ name: string; kind: string } & Now, { name: string }>(
      d,
      (p) => sql`insert into ${queues} (name, kind, created_at) values (${p.name}, ${p.kind}, ${d.now(p.now)})
        on conflict (name) do update set kind = excluded.kind where excluded.kind = 'workflow' and pgqrs_queues.kind = 'queue'
        returning name`,
    ),

    list: prepare<object, QueueRow>(d, () => sql`select ${fields} from ${queues} order by name`, {
      reads: true,
    }),

    pause: prepare<{ name: string } & Now, QueueRow>(
      d,
      (p) =>
        sql`update ${queues} set paused_at = coalesce(paused_at, ${d.now(p.now)}) where name = ${p.name} returning ${fields}`,
    ),

    resume: prepare<{ name: string }, QueueRow>(
      d,
      (p) => sql`update ${queues} set paused_at = null where name = ${p.name} returning ${fields}`,
    ),

    /** Removes a queue that has no messages left. */
    remove: prepare<{ name: string }, { name: string }>(
      d,
      (p) => sql`delete from ${queues} where name = ${p.name}
        and not exists (select 1 from ${messages} m where m.queue = ${p.name} and m.finished_at is null)
        returning name`,
    ),

    /** Live counts of every queue with live messages: a walk over the live messages, never over finished ones. */
    liveCounts: prepare<Now, QueueMetricsRow>(
      d,
      (p) => sql`select queue,
          ${count(sql`vt <= ${d.now(p.now)}`)} as ready,
          ${count(sql`vt > ${d.now(p.now)} and status = 'queued'`)} as delayed,
          ${count(sql`vt > ${d.now(p.now)} and status in ('running', 'cancelling')`)} as leased,
          ${count(sql`vt > ${d.now(p.now)} and status = 'paused'`)} as paused,
          ${d.millis(d.now(p.now))} - ${d.millis(sql`min(case when vt <= ${d.now(p.now)} then vt end)`)} as oldest_ms
        from ${messages} where finished_at is null group by queue`,
      { reads: true, slow: true },
    ),

    /** Counts of finished messages as they were kept while the messages finished. */
    finishedCounts: prepare<object, { queue: string; status: string; n: number }>(
      d,
      () => sql`select queue, status, ${d.number(sql`sum(n)`)} as n from ${tallies} group by queue, status`,
      { reads: true, slow: true },
    ),

    /** Checkpoints of at most `limit` messages that {@link removeSome} would remove next. */
    removeSomeSteps: prepare<RemoveSome, { run_id: string }>(
      d,
      (p) => sql`delete from ${steps} where ${d.amongRows(sql.ref('run_id'), some(p))} returning run_id`,
    ),

    /** Removes at most `limit` messages: of one queue or all, live ones nobody holds, or finished ones. */
    removeSome: prepare<RemoveSome, { id: string }>(d, (p) =>
      d.tallied(
        sql`delete from ${messages} where ${d.amongRows(sql.ref('id'), some(p))} returning id, queue as tally_queue, status as tally_status`,
        -1,
      ),
    ),
  }

  function some(p: { readonly [K in keyof RemoveSome]-?: RawBuilder<RemoveSome[K]> }): RawBuilder<unknown> {
    const before = d.time(p.finished_before_ms)
    // A live message goes only when nobody holds it: its holder would otherwise lose work it believes to be safe.
    return sql`select id from ${messages} where queue = ${p.queue} and (
        (${p.live} = 1 and finished_at is null and (status in ('queued', 'paused') or vt <= ${d.now(p.now)}))
        or (finished_at is not null and finished_at <= ${before} and ${d.among(sql.ref('status'), p.statuses, 'text')})
      ) order by id limit ${p.limit}`
  }
}

/** What {@link queueQueries} `removeSome` takes away. */
export interface RemoveSome {
  queue: string
  /** 1: live messages too. */
  live: number
  /** Final statuses, a JSON array. */
  statuses: string
  /** Only what finished at or before this time, ms since the epoch. */
  finished_before_ms: number
  limit: number
  now: number | null
}
