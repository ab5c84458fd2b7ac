import { setTimeout as sleep } from 'node:timers/promises'
import { AmbiguousCommitError, ConnectionError, defineQueue, defineWorkflow } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import type { Sql } from 'postgres'
import { expect, it } from 'vitest'
import { client, database, strayErrors } from './database.js'
import { open } from './stores.js'

const KILLS = 120
const IN_TRANSACTION = 20

/**
 * Kills one backend of the victims after the other, every other time one in the middle of a user's transaction, until
 * there were enough of both.
 */
async function killMany(admin: Sql): Promise<void> {
  const count = { kills: 0, inTransaction: 0 }
  while (count.kills < KILLS || count.inTransaction < IN_TRANSACTION) {
    const killed = await admin<{ state: string | null }[]>`select state, pg_terminate_backend(pid) from (
      select pid, state from pg_stat_activity where application_name = 'victim'
      order by (state like 'idle in transaction%' and ${count.kills % 2 === 0}) desc, random() limit 1) v`
    count.kills += killed.length
    count.inTransaction += killed.filter(({ state }) => state?.startsWith('idle in')).length
    await sleep(20 + Math.random() * 30)
  }
}

it('handles every message, and every transactional step once, while backends are killed all the time', async () => {
  const stray = strayErrors()
  const dsn = await database()
  const admin = client(dsn)
  await admin`create table booked (run uuid, step text)`
  const options = { lease: '3s', maxCrashes: 10_000 } as const
  const store = await open(`${dsn}?application_name=victim`, options)
  await store.admin.install()

  const handled = new Map<string, number>()
  const queue = defineQueue<number>('numbers')
  const booking = defineWorkflow('booking', async (run, n: number) => {
    await run.step('look', () => n)
    for (const step of ['reserve', 'pay']) {
      await run.transaction(step, async (tx) => {
        await tx`insert into booked values (${run.id}, ${step})`
        await sleep(Math.random() * 20)
      })
    }
    return n
  })
  for (const victim of [store, await open(`${dsn}?application_name=victim`, options)]) {
    const counting = queue.handler(({ id }) => void handled.set(id, (handled.get(id) ?? 0) + 1))
    await victim.worker([counting, booking], { concurrency: 10 }).start()
  }

  let killing = true
  const accepted = new Set<string>()
  const results: Promise<number>[] = []
  const producer = store.producer(queue)
  const known = (error: unknown): void => {
    if (!(error instanceof AmbiguousCommitError || error instanceof ConnectionError)) throw error
  }
  async function enqueue(): Promise<void> {
    for (let n = 0; killing; n++) {
      await producer.enqueue(n).then((id) => accepted.add(id), known)
      await sleep(5)
    }
  }
  async function trigger(): Promise<void> {
    for (let n = 0; killing; n++) {
      await store.trigger(booking, n).then((handle) => results.push(handle.result()), known)
      await sleep(20)
    }
  }
  const killed = killMany(admin).finally(() => (killing = false))
  await Promise.all([killed, enqueue(), enqueue(), trigger(), trigger()])

  for (const result of await Promise.all(results)) expect(result).toBeTypeOf('number')
  await eventually('every message to be handled', () => [...accepted].every((id) => handled.has(id)), {
    timeoutMs: 30_000,
  })
  const booked =
    await admin`select step, count(*)::int as n, count(distinct run)::int as runs from booked group by step`
  const [finished] = await admin<{ n: number }[]>`select count(*)::int as n from pgqrs_messages
    where queue = 'booking' and status = 'success'`
  const n = finished!.n
  expect(n).toBeGreaterThanOrEqual(results.length)
  expect(new Set(booked.map((row) => JSON.stringify(row)))).toEqual(
    new Set(['reserve', 'pay'].map((step) => JSON.stringify({ step, n, runs: n }))),
  )
  expect(stray).toEqual([])
}, 90_000)
