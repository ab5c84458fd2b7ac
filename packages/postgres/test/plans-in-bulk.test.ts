import { PostgresDialect, type Statement } from '@pgqrs/core/driver'
import { startPostgres, type PostgresServer } from '@pgqrs/test-database'
import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// The statements themselves, which core shows to nobody.
import { queriesFor } from '../../core/src/queries/index.js'
import { connect } from '../src/connect.js'
import { createDatabase, serverDsn } from './database.js'
import { planModes, planOf, readingOf, type PlanNode } from './explain.js'

const FEW = 10_000
const MANY = 1_000_000
const LEASED = 100_000
// The B-trees have one level more, which each of some five descents for a message meets. What grew with the table
// would be a hundred times as much.
const GROWTH = 2

const queries = queriesFor(new PostgresDialect(undefined))
const LEASE = '3fa85f64-5717-4562-b3fc-2c963f66afa6'
const WORKER = '01930000-0000-7000-8000-000000000001'
const FILL_MS = 180_000

function claim(limit: number): Statement {
  const queues = JSON.stringify([{ queue: 'bulk', lease_ms: 30_000 }])
  return queries.claims.claim.bind({ queues, limit, lease_id: LEASE, worker_id: WORKER, now: null })
}

function finish(ids: readonly string[]): Statement {
  const ends = ids.map((id) => ({
    id,
    lease_id: LEASE,
    status: 'success' as const,
    output: '1',
    error: null,
    failed: 0,
  }))
  return queries.messages.finish.bind(ends, { now: null })[0]!
}

function buffersOf(plan: PlanNode): number {
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)
}

/** A table of messages that grows. */
class Bulk {
  private filled = 0

  private constructor(readonly sql: Sql) {}

  static async on(dsn: string): Promise<Bulk> {
    const store = await connect({ dsn, listen: false })
    await store.admin.install()
    await store.close()
    const sql = postgres(dsn, { max: 1, onnotice: () => {} })
    // What is in it need not survive a crash of the server; and nobody shall vacuum or analyze it but the tests.
    await sql.unsafe('alter table pgqrs_messages set unlogged')
    await sql.unsafe('alter table pgqrs_messages set (autovacuum_enabled = off)')
    return new Bulk(sql)
  }

  /** More messages, in the order of their ids, of three priorities. */
  async fill(kind: 'ready' | 'delayed' | 'leased', count: number): Promise<void> {
    const from = this.filled + 1
    this.filled += count
    await this.sql
      .unsafe(`insert into pgqrs_messages (id, queue, status, priority, vt, payload, lease_id, enqueued_at)
      select ('01930000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'bulk',
        '${kind === 'leased' ? 'running' : 'queued'}', n % 3,
        now() + ${kind === 'ready' ? '(n - 3000000)' : 'n'} * interval '1 second', '{"n":1}',
        ${kind === 'leased' ? 'gen_random_uuid()' : 'null'}, now()
      from generate_series(${from}, ${from + count - 1}) n`)
    await this.sql.unsafe('vacuum analyze pgqrs_messages')
  }

  /** The plan of a claim as it is executed, and that of the end of all it has taken. Nothing is changed. */
  async executed(
    limit: number,
    mode: (typeof planModes)[number],
  ): Promise<{ claimed: PlanNode; finished: PlanNode }> {
    const { sql } = this
    await sql`begin`
    try {
      const claimed = await planOf(sql, claim(limit), mode, 'analyze, buffers')
      const rows = await sql<{ id: string }[]>`select id from pgqrs_messages where lease_id = ${LEASE}`
      expect(rows).toHaveLength(limit)
      const finished = await planOf(sql, finish(rows.map((row) => row.id)), mode, 'analyze, buffers')
      const [ended] = await sql<
        { n: number }[]
      >`select count(*)::int as n from pgqrs_messages where lease_id = ${LEASE} and status = 'success'`
      expect(ended?.n).toBe(limit)
      return { claimed, finished }
    } finally {
      await sql`rollback`
    }
  }

  /** Buffers touched by a claim and by the end of what it has taken. */
  async buffers(limit: number): Promise<{ claim: number; finish: number }> {
    const { claimed, finished } = await this.executed(limit, 'force_generic_plan')
    return { claim: buffersOf(claimed), finish: buffersOf(finished) }
  }
}

/** A server of some major version: that of the run, or one of the other version with which it must be no different. */
const servers: Record<string, () => Promise<{ dsn: string; major: number; stop: () => Promise<void> }>> = {
  'the server of this run': async () => {
    const { dsn, drop } = await createDatabase()
    return { dsn, major: await majorOf(dsn), stop: drop }
  },
  'a server of another major version': async () => {
    const version = (await majorOf(serverDsn())) === 15 ? '18' : '15'
    const server: PostgresServer = await startPostgres({ version, fresh: true })
    return { dsn: await server.createDatabase(), major: server.major, stop: () => server.stop() }
  },
}

async function majorOf(dsn: string): Promise<number> {
  const sql = postgres(dsn, { max: 1, onnotice: () => {} })
  try {
    const [row] = await sql<{ n: number }[]>`select current_setting('server_version_num')::int / 10000 as n`
    return row!.n
  } finally {
    await sql.end({ timeout: 1 })
  }
}

describe.each(Object.keys(servers))('at a million messages, on %s', (name) => {
  let bulk: Bulk | undefined
  let missing = ''
  let stop: () => Promise<void> = () => Promise.resolve()
  let few: { claim: number; finish: number }

  beforeAll(async () => {
    const server = await servers[name]!().catch((error: unknown) => {
      missing = `it cannot be had: ${String(error)}`
    })
    if (server === undefined) return
    stop = server.stop
    bulk = await Bulk.on(server.dsn)
    await bulk.fill('ready', FEW)
    few = await bulk.buffers(100)
    console.log(`Postgres ${server.major}, ${FEW} ready: ${JSON.stringify(few)} buffers`)
    await bulk.fill('ready', MANY - FEW)
  }, FILL_MS)
  afterAll(async () => {
    await bulk?.sql.end({ timeout: 1 })
    await stop()
  })

  async function expectPlansByIndex(there: Bulk): Promise<void> {
    for (const mode of planModes) {
      for (const limit of [1, 100, 1000]) {
        const plans = await there.executed(limit, mode)
        for (const [what, plan] of Object.entries(plans)) {
          const { scans, sorts } = readingOf(plan)
          const said = `${what}, ${limit} messages, ${mode}`
          expect(scans, said).not.toEqual([])
          expect(scans, said).not.toContain('Seq Scan')
          expect(sorts, said).toEqual([])
        }
      }
    }
  }

  async function expectFlatBuffers(there: Bulk, state: string): Promise<void> {
    const many = await there.buffers(100)
    console.log(`${state}: ${JSON.stringify(many)} buffers`)
    expect(many.claim / few.claim).toBeLessThan(GROWTH)
    expect(many.finish / few.finish).toBeLessThan(GROWTH)
  }

  it(
    'claims and ends by index, in no more buffers than at few',
    async ({ skip }) => {
      skip(bulk === undefined, missing)
      await expectPlansByIndex(bulk!)
      await expectFlatBuffers(bulk!, '1,000,000 ready')
    },
    FILL_MS,
  )

  it(
    'does so beside 100,000 that are leased and 1,000,000 that are delayed',
    async ({ skip }) => {
      skip(bulk === undefined, missing)
      await bulk!.fill('leased', LEASED)
      await bulk!.fill('delayed', MANY)
      await expectPlansByIndex(bulk!)
      await expectFlatBuffers(bulk!, 'and 100,000 leased, 1,000,000 delayed')
    },
    FILL_MS,
  )
})
