import { sql, type RawBuilder } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare, type Params } from '../db/prepared.js'
import type { Time } from '../db/schema.js'

/** A message as it is handed to its holder. */
export interface ClaimedRow {
  readonly id: string
  readonly queue: string
  readonly status: 'running' | 'cancelling'
  readonly priority: number
  readonly payload: string
  readonly key: string | null
  readonly claims: number
  readonly failures: number
  readonly crashes: number
  /** Times are milliseconds since the epoch. */
  readonly due_at: number
  readonly vt: number
  readonly enqueued_at: number
  readonly error: string | null
  /** The run's checkpoints as JSON rows of {@link historyCells}, or null when there are none. */
  readonly history: string | null
}

/** One queue to claim from, in the JSON of `queues`. */
export interface ClaimQueue {
  readonly queue: string
  readonly lease_ms: number
  /** Which is served first, all of its priorities before any of the next queue's. */
  readonly turn: number
  /** Only this priority, and of it only what has been due since then (ms since the epoch). */
  readonly priority?: number
  readonly since?: number
}

export interface Claim {
  /** JSON array of {@link ClaimQueue}. */
  queues: string
  limit: number
  lease_id: string
  worker_id: string | null
  now: number | null
}

const shapeOfQueues = {
  queue: 'text',
  lease_ms: 'float',
  turn: 'int',
  priority: 'int?',
  since: 'float?',
} as const

/** Statements that take and find leases. */
export function claimQueries(d: SqlDialect) {
  const messages = d.table('pgqrs_messages')

  // Not max(): on an empty table it costs the planner as little to read the whole lane, and the plan stays.
  const highest = (where: RawBuilder<unknown>): RawBuilder<number> => sql`select m.priority from ${messages} m
    where ${where} and m.finished_at is null order by m.priority desc limit 1`

  /*
   * A lane is one priority of one queue. Within a lane the index gives (vt, id) order and stops at `now`, so neither
   * a million ready nor a million delayed messages are walked over. The lanes of a queue are found by hopping down
   * the index from priority to priority.
   */
  const lanes = (p: Params<Pick<Claim, 'queues'>>): RawBuilder<unknown> => sql`
    wanted as (
      select w.queue, w.lease_ms, w.turn, w.priority, w.since
      from ${d.jsonRows(p.queues, shapeOfQueues, 'w')}
      where (select q.paused_at from ${d.table('pgqrs_queues')} q where q.name = w.queue) is null
    ),
    lanes(queue, turn, priority, since) as (
      select w.queue, w.turn,
        coalesce(w.priority, (${highest(sql`m.queue = w.queue`)})), w.since
      from wanted w
      union all
      select l.queue, l.turn,
        (${highest(sql`m.queue = l.queue and m.priority < l.priority`)}), null
      from lanes l where l.priority is not null and l.since is null
    )`

  // The lanes are found priority by priority, over all queues. Without its own limit SQLite would drop the order.
  const inTurn = sql`select * from lanes where priority is not null order by turn, priority desc limit 100000`

  // A run that has been claimed before may have checkpoints; a message's first claim never pays for looking.
  const history = sql`case when claims > 1 then (
    select ${d.jsonArrays(historyCells(d), sql.ref('s.position'))}
    from ${d.table('pgqrs_steps')} s where s.run_id = pgqrs_messages.id) end`

  const returned = sql`pgqrs_messages.id, pgqrs_messages.queue, status, priority, payload, key, claims, failures, crashes,
    ${d.millis(sql.ref('due_at'))} as due_at, ${d.millis(sql.ref('vt'))} as vt,
    ${d.millis(sql.ref('enqueued_at'))} as enqueued_at, error, ${history} as history`

  return {
    /**
     * Takes leases on at most `limit` due messages. A message whose last holder never spoke again counts a crash. What
     * an earlier sending of this claim took and lost again is left to the next claim: a grant has a name of its own.
     */
    claim: prepare<Claim, ClaimedRow>(d, (p) => {
      // SQLite compiles a statement anew whenever a bare parameter of its LIMIT is bound: ten times the cost of a claim.
      // Postgres plans anew for every value it can see, which takes as long as claiming.
      const limit = sql`(select cast(${p.limit} as integer))`
      const due = sql`select m.id as value from ${messages} m
        where m.queue = l.queue and m.priority = l.priority and m.finished_at is null and m.vt <= ${d.now(p.now)}
          and m.vt >= ${d.time(sql`coalesce(l.since, 0)`)}
        order by m.vt, m.id limit ${limit}`
      return sql`with recursive ${lanes(p)},
        claimable as (
          select c.value as id from (${inTurn}) l cross join ${d.lateralClaim(due, 'c')} limit ${limit}
        )
        update ${messages} set
          status = case when status = 'cancelling' then status else 'running' end,
          crashes = crashes + case when status = 'running' then 1 else 0 end,
          claims = claims + 1, due_at = vt,
          vt = ${d.plusMs(d.now(p.now), sql`(select w.lease_ms from wanted w where w.queue = pgqrs_messages.queue)`)},
          lease_id = ${p.lease_id}, worker_id = ${p.worker_id},
          started_at = coalesce(started_at, ${d.now(p.now)})
        where ${d.amongRows(sql.ref('id'), sql`select claimable.id from claimable`)}
          and pgqrs_messages.lease_id is distinct from ${p.lease_id}
        returning ${returned}`
    }),

    /** What a claim whose answer was lost had taken. */
    recover: prepare<{ queues: string; lease_id: string; now: number | null }, ClaimedRow>(
      d,
      (p) => sql`select ${returned} from ${messages} where lease_id = ${p.lease_id}
        and finished_at is null and status in ('running', 'cancelling') and vt > ${d.now(p.now)}
        and ${d.among(sql.ref('queue'), p.queues, 'text')}`,
      { reads: true },
    ),

    /** Milliseconds until the next message of these queues is due; negative when one is due already. */
    nextDue: prepare<{ queues: string; now: number | null }, { wait_ms: number | null }>(
      d,
      (p) => sql`with recursive ${lanes(p)}
        select min(${d.millis(nextOfLane())}) - ${d.millis(d.now(p.now))} as wait_ms from lanes l where l.priority is not null`,
      { reads: true },
    ),
  }

  function nextOfLane(): RawBuilder<Time> {
    return sql`(select m.vt from ${messages} m
      where m.queue = l.queue and m.priority = l.priority and m.finished_at is null order by m.vt limit 1)`
  }
}

/** Cells of one checkpoint in a run's history, in the order of {@link HistoryRow}. */
export function historyCells(d: SqlDialect): RawBuilder<unknown>[] {
  return [
    sql.ref('s.name'),
    sql.ref('s.kind'),
    sql.ref('s.status'),
    sql.ref('s.output'),
    sql.ref('s.error'),
    sql.ref('s.failures'),
    d.millis(sql.ref('s.wake_at')),
    sql.ref('s.position'),
    sql.ref('s.seen'),
  ]
}
