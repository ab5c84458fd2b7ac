import { defineQueue, type Store } from '@pgqrs/core'
import { eventually, startProxy } from '@pgqrs/test-database'
import type { Sql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import { client, database } from './database.js'
import { failuresSeen } from './failures-seen.js'
import { open } from './stores.js'

// What went wrong elsewhere and can only go wrong on Postgres. Each test has the name of the project and its thread;
// docs/reliability.md lists them all.

const queue = defineQueue<number>('jobs', { lease: '1h' })

async function installed(): Promise<{ dsn: string; admin: Sql; store: Store }> {
  const dsn = await database()
  const store = await open(dsn)
  await store.admin.install()
  return { dsn, admin: client(dsn), store }
}

async function waitsForALock(admin: Sql): Promise<void> {
  await eventually('the statement to wait for the row', async () => {
    const rows = await admin`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`
    return rows.length > 0
  })
}

const operators: Readonly<Record<string, (store: Store, id: string) => Promise<unknown>>> = {
  reclaim: (store) => store.admin.workers.reclaim({ silentFor: 0 }),
  cancel: (store, id) => store.admin.messages.cancel(id),
  archive: (store, id) => store.admin.messages.archive(id),
}

it.each(Object.keys(operators))(
  'River #1302: a rescuer’s %s overwrites a job that completes while it waits for the row',
  async (name) => {
    const { dsn, admin, store } = await installed()
    const id = await store.producer(queue).enqueue(1)
    await store.consumer(queue).dequeue()
    // A lapsed lease for archive, which leaves alone what is held.
    if (name === 'archive') await admin`update pgqrs_messages set vt = now()`
    const completing = await client(dsn).reserve()
    onTestFinished(() => {
      completing.release()
    })
    await completing`begin`
    await completing`update pgqrs_messages set status = 'success', output = '"done"', finished_at = now()`
    const rescue = operators[name]!(store, id).then(
      (answer) => answer,
      (error: unknown) => error,
    )
    await waitsForALock(admin)
    await completing`commit`
    await rescue
    expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', output: 'done' })
    expect(await store.consumer(queue).dequeue()).toEqual([])
  },
)

it('solid_queue #609: batches that meet in opposite orders deadlock, and one of them is lost', async () => {
  const { dsn } = await installed()
  const { kinds, wrapDriver } = failuresSeen()
  const stores = [await open(dsn, { wrapDriver }), await open(dsn, { wrapDriver })]
  const keys = Array.from({ length: 500 }, (_, n) => `key-${n}`)
  for (let round = 0; round < 8; round++) {
    const batches = stores.map((one, i) => {
      const mine = i === 0 ? keys : keys.toReversed()
      const named = defineQueue<string>(`round-${round}`)
      return one.producer(named).enqueueMany(mine, { each: (key) => ({ key }) })
    })
    const [forwards, backwards] = await Promise.all(batches)
    expect(backwards!.toReversed()).toEqual(forwards)
  }
  // Nor did the server have to end one of them, which takes it a second each time.
  expect(kinds).toEqual([])
})

it('Oban #271: a listener that loses its connection opens one more each time', async () => {
  const { dsn, admin } = await installed()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const hints: boolean[] = []
  const store = await open(dsn, { listenDsn: proxy.dsn })
  const onEvent = (event: { type: string; arrive?: boolean }): void => {
    if (event.type === 'hints') hints.push(event.arrive === true)
  }
  await store.worker([queue.handler(() => undefined)], { onEvent }).start()
  const listeners = async (): Promise<number> =>
    (await admin`select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen%'`)
      .length
  await eventually('hints to arrive', () => hints.at(-1) === true)
  const before = [proxy.connections(), await listeners()]
  for (let cut = 0; cut < 5; cut++) {
    const told = hints.length
    proxy.cutAll()
    await eventually('hints to arrive again', () => hints.length > told && hints.at(-1) === true)
  }
  await eventually('the server to notice', async () => (await listeners()) === before[1])
  expect([proxy.connections(), await listeners()]).toEqual(before)
})
