import { randomUUID } from 'node:crypto'
import { PostgresDialect, type Statement } from '@pgqrs/core/driver'
import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// The statements themselves, which core shows to nobody.
import { queriesFor } from '../../core/src/queries/index.js'
import { connect } from '../src/connect.js'
import { createDatabase, type CreatedDatabase } from './database.js'
import { flat, literal, planModes, planOf, readingOf } from './explain.js'

const QUEUES = 4
const ROWS_OF_A_KIND = 50_000
const HISTORY = 20_000

const queries = queriesFor(new PostgresDialect(undefined))
const ID = '01930000-0000-7000-8000-000000000001'
const LEASE = '3fa85f64-5717-4562-b3fc-2c963f66afa6'
const queues = (wanted: readonly number[]): string =>
  JSON.stringify(wanted.map((n) => ({ queue: `queue-${n}`, lease_ms: 30_000 })))
const claim = (wanted: readonly number[], limit: number): Statement =>
  queries.claims.claim.bind({ queues: queues(wanted), limit, lease_id: LEASE, worker_id: ID, now: null })
const message = { id: ID, key: null, key_kept: false, payload: '{}', priority: 2, delay_ms: 0, at_ms: null }
const handOver = (n: number, id = ID): Statement =>
  one(
    queries.messages.enqueueHanded.bind(
      [{ ...message, id, queue: `queue-${n}`, lease_id: LEASE, lease_ms: 30_000, worker_id: ID }],
      { now: null },
    ),
  )
const end = { id: ID, lease_id: LEASE, output: null, error: null, failed: 0 }

/** Everything that happens for each message or run. */
const hot: Record<string, Statement> = {
  'claim of one message': claim([1], 1),
  'claim of many messages': claim([1], 100),
  'claim of several queues': claim([1, 2, 3], 10),
  'claim of an empty queue': claim([99], 10),
  'hand over': handOver(1),
  'hand over in an empty queue': handOver(99),
  'next due': queries.claims.nextDue.bind({ queues: queues([1, 2, 3]), now: null }),
  extend: one(queries.messages.extend.bind([{ id: ID, lease_id: LEASE, lease_ms: 30_000 }], { now: null })),
  finish: one(queries.messages.finish.bind([{ ...end, status: 'success' }], { now: null })),
  release: one(
    queries.messages.release.bind(
      [{ ...end, status: 'queued', delay_ms: 0, at_ms: null, unless_steps: '["pause"]' }],
      { now: null },
    ),
  ),
  remove: one(queries.messages.remove.bind([{ id: ID, lease_id: LEASE }], { now: null })),
  hold: queries.steps.hold.bind({ id: ID, lease_id: LEASE }),
  outcomes: queries.messages.outcomes.bind({ ids: JSON.stringify([LEASE]), first: JSON.stringify([ID]) }),
}

function one([statement]: readonly Statement[]): Statement {
  return statement!
}

let created: CreatedDatabase
let sql: Sql
beforeAll(async () => {
  created = await createDatabase()
  const store = await connect({ dsn: created.dsn, listen: false })
  await store.admin.install()
  await store.close()
  sql = postgres(created.dsn, { max: 1, onnotice: () => {} })
  // Ready and delayed ones of three priorities in several queues, leased ones, and an archive.
  await sql`insert into pgqrs_messages (id, queue, status, priority, vt, payload, lease_id, enqueued_at)
    select gen_random_uuid(), 'queue-' || n % ${QUEUES}, case kind when 'leased' then 'running' else 'queued' end, n % 3,
      now() + (case kind when 'ready' then -1 else 1 end) * n * interval '1 second', '{}',
      case kind when 'leased' then gen_random_uuid() end, now()
    from unnest(array['ready', 'delayed', 'leased']) kind, generate_series(1, ${ROWS_OF_A_KIND}) n`
  await sql`insert into pgqrs_messages (id, queue, status, vt, payload, enqueued_at, finished_at)
    select gen_random_uuid(), 'queue-' || n % ${QUEUES}, 'success', now(), '{}', now(), now()
    from generate_series(1, ${HISTORY}) n`
  await sql`analyze pgqrs_messages`
}, 120_000)
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await created.drop()
})

describe.each(planModes)('with %s', (mode) => {
  it.each(Object.keys(hot))('neither walks over the messages nor sorts them: %s', async (what) => {
    const { scans, sorts } = readingOf(await planOf(sql, hot[what]!, mode))
    expect(scans).not.toEqual([])
    expect(scans).not.toContain('Seq Scan')
    expect(sorts).toEqual([])
  })

  it.each(Object.keys(hot).filter((what) => what.startsWith('claim')))(
    'finds what is due by the index made for it: %s',
    async (what) => {
      const indexes = flat(await planOf(sql, hot[what]!, mode)).flatMap((node) => node['Index Name'] ?? [])
      expect(new Set(indexes.filter((index) => index.startsWith('pgqrs_messages')))).toEqual(
        new Set(['pgqrs_messages_claim', 'pgqrs_messages_pkey']),
      )
    },
  )
})

it('reads only as many messages as it takes, whatever else is there', async () => {
  await sql`set plan_cache_mode = force_generic_plan`
  const { sql: text, parameters } = claim([1, 2, 3], 10)
  await sql.unsafe(`prepare counted as ${text}`)
  const before = await read()
  const rows = await sql.unsafe(`execute counted(${parameters.map(literal).join(', ')})`)
  expect(rows).toHaveLength(10)
  const afterClaim = await read()
  expect(afterClaim - before).toBeLessThan(100)
  const handed = handOver(99)
  await sql.unsafe(`prepare handed as ${handed.sql}`)
  for (const [n, granted] of [
    [1, null],
    [99, LEASE],
  ] as const) {
    const { parameters: values } = handOver(n, randomUUID())
    const [row] = await sql.unsafe(`execute handed(${values.map(literal).join(', ')})`)
    expect(row).toMatchObject({ lease_id: granted })
  }
  expect((await read()) - afterClaim).toBeLessThan(20)

  async function read(): Promise<number> {
    await sql`select pg_stat_force_next_flush()`
    const [row] =
      await sql`select (idx_tup_fetch + seq_tup_read)::int as n from pg_stat_user_tables where relname = 'pgqrs_messages'`
    return row!['n'] as number
  }
})
