import { PostgresDialect, systemClock, type Statement } from '@pgqrs/core/driver'
import { expect, it, onTestFinished } from 'vitest'
// The statements themselves, which core shows to nobody.
import { queriesFor } from '../../core/src/queries/index.js'
import { connect } from '../src/connect.js'
import { Connection } from '../src/connection.js'
import { parametersOfDsn } from '../src/parameters.js'
import { client, database } from './database.js'
import { flat, literal, onMessages, readingOf, type PlanNode } from './explain.js'

const queries = queriesFor(new PostgresDialect(undefined))
const LEASE = '3fa85f64-5717-4562-b3fc-2c963f66afa6'
const ids = Array.from({ length: 100 }, (_, n) => `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`)
const held = ids.map((id) => ({ id, lease_id: LEASE }))
const queueJson = JSON.stringify([{ queue: 'bulk', lease_ms: 30_000 }])

/** What a worker sends all the time. */
const statements: Record<string, Statement> = {
  claim: queries.claims.claim.bind({
    queues: queueJson,
    limit: 100,
    lease_id: LEASE,
    worker_id: LEASE,
    now: null,
  }),
  'hand over': queries.messages.enqueueHanded.bind(
    held.map((one) => ({
      ...one,
      queue: 'bulk',
      priority: 0,
      delay_ms: 0,
      at_ms: null,
      key: null,
      key_kept: false,
      payload: '{}',
      lease_ms: 30_000,
      worker_id: LEASE,
    })),
    { now: null },
  )[0]!,
  nextDue: queries.claims.nextDue.bind({ queues: queueJson, now: null }),
  finish: queries.messages.finish.bind(
    held.map((one) => ({ ...one, status: 'success' as const, output: '1', error: null, failed: 0 })),
    { now: null },
  )[0]!,
  release: queries.messages.release.bind(
    held.map((one) => ({
      ...one,
      status: 'queued' as const,
      delay_ms: 0,
      at_ms: null,
      error: null,
      failed: 0,
      unless_steps: null,
    })),
    { now: null },
  )[0]!,
  extend: queries.messages.extend.bind(
    held.map((one) => ({ ...one, lease_ms: 1000 })),
    { now: null },
  )[0]!,
  remove: queries.messages.remove.bind(held, { now: null })[0]!,
  get: queries.messages.get.bind({ ids: JSON.stringify(ids) }),
}

/** A node and all below it that a limit does not stop. */
function withoutLimit(node: PlanNode): PlanNode[] {
  if (node['Node Type'] === 'Limit') return []
  return [node, ...(node.Plans ?? []).flatMap(withoutLimit)]
}

it('what was planned while the tables were empty reads by index when they have grown', async () => {
  const dsn = await database()
  const store = await connect({ dsn, listen: false })
  await store.admin.install()
  await store.close()
  const sql = client(dsn)
  // Nobody analyzes what has grown, as it is for a minute after a burst.
  await sql.unsafe('alter table pgqrs_messages set (autovacuum_enabled = off)')
  await sql`insert into pgqrs_queues (name, kind, created_at) values ('bulk', 'queue', now())`
  await sql.unsafe('vacuum analyze pgqrs_messages')
  const connection = await Connection.open(parametersOfDsn(dsn, true), { limitMs: 5000, clock: systemClock })
  onTestFinished(() => connection.close())
  // The sixth execution is the first that may keep its plan.
  for (let n = 0; n < 10; n++)
    for (const statement of Object.values(statements)) await connection.run(statement)
  await sql`insert into pgqrs_messages (id, queue, status, vt, payload, lease_id, enqueued_at)
    select ('01930000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'bulk', 'queued', now(), '{}', null, now()
    from generate_series(0, 50000) n on conflict do nothing`

  const kept = await connection.run({
    sql: 'select name, statement, generic_plans from pg_prepared_statements',
    parameters: [],
    reads: true,
  })
  for (const [what, statement] of Object.entries(statements)) {
    const { name, generic_plans } = kept.find((row) => row['statement'] === statement.sql) ?? {}
    // A plan made anew each time would be good too, but would take longer than the claim itself.
    expect(Number(generic_plans), `${what} keeps its plan`).toBeGreaterThan(0)
    const [row] = await connection.run({
      sql: `explain (format json) execute "${String(name)}" (${statement.parameters.map(literal).join(', ')})`,
      parameters: [],
      reads: true,
    })
    const [{ Plan: plan }] = row!['QUERY PLAN'] as [{ Plan: PlanNode }]
    const { scans, sorts } = readingOf(plan)
    expect(scans, what).not.toEqual([])
    expect(scans, what).not.toContain('Seq Scan')
    expect(sorts, what).toEqual([])
    const whole = flat(plan).filter(
      (node) => node['Node Type'] === 'Aggregate' && withoutLimit(node).some(onMessages),
    )
    expect(whole, `${what} reads no lane to its end`).toEqual([])
  }
})
