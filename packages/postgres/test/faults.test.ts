import { DatabaseError, defineQueue, defineWorkflow, type WorkerEvent } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import type { Sql } from 'postgres'
import { expect, it } from 'vitest'
import { client, database, strayErrors } from './database.js'
import { failuresSeen } from './failures-seen.js'
import { open } from './stores.js'

async function takeNoWrites(admin: Sql, on: boolean): Promise<void> {
  const [row] = await admin<{ name: string }[]>`select current_database() as name`
  await admin.unsafe(`set default_transaction_read_only = off;
    alter database ${row!.name} set default_transaction_read_only = ${on}`)
  await admin`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
}

it('waits while the database takes no writes, and goes on by itself when it does', async () => {
  const stray = strayErrors()
  const dsn = await database()
  const admin = client(dsn, { max: 1 })
  const store = await open(dsn, { connectionTimeout: '300ms' })
  await store.admin.install()
  const queue = defineQueue<number>('numbers')
  const seen: number[] = []
  const troubles: unknown[] = []
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'trouble') troubles.push(event.error)
  }
  const worker = store.worker([queue.handler(({ payload }) => void seen.push(payload))], { onEvent })
  await worker.start()
  await takeNoWrites(admin, true)
  const readOnly = (): boolean => troubles.some((error) => String(error).includes('takes no writes'))
  await eventually('the worker to notice', readOnly, { timeoutMs: 20_000 })
  const refused: unknown = await store
    .producer(queue)
    .enqueue(1)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(DatabaseError)
  expect(worker.status).toBe('polling')
  await takeNoWrites(admin, false)
  await eventually('writes to be taken', () =>
    store
      .producer(queue)
      .enqueue(2)
      .then(
        () => true,
        () => false,
      ),
  )
  await eventually('the work', () => seen.includes(2), { timeoutMs: 20_000 })
  expect(seen).not.toContain(1)
  expect(stray).toEqual([])
})

it('finishes fifty transactional steps at once with two connections', async () => {
  const dsn = await database()
  const admin = client(dsn)
  await admin`create table booked (run uuid)`
  const store = await open(dsn, { maxConnections: 2 })
  await store.admin.install()
  const book = defineWorkflow('book', async (run) => {
    await run.transaction('book', (tx) => tx`insert into booked values (${run.id})`)
    return run.step('after', () => 'done')
  })
  await store.worker([book], { concurrency: 50 }).start()
  const handles = await Promise.all(Array.from({ length: 50 }, () => store.trigger(book)))
  const results = await Promise.all(handles.map((handle) => handle.result({ timeout: '25s' })))
  expect(new Set(results)).toEqual(new Set(['done']))
  expect(await admin`select count(*)::int as n, count(distinct run)::int as runs from booked`).toEqual([
    { n: 50, runs: 50 },
  ])
  for (const handle of handles) {
    expect(await store.admin.runs.get(handle.id)).toMatchObject({ claims: 1, crashes: 0 })
  }
})

it('tries again when the server’s own lock timeout strikes', async () => {
  const dsn = await database()
  const admin = client(dsn)
  const { kinds, wrapDriver } = failuresSeen()
  const store = await open(`${dsn}?lock_timeout=20`, { wrapDriver, connectionTimeout: '20s' })
  await store.admin.install()
  const work = defineWorkflow('work', async (run) => {
    const locked = await admin.reserve()
    await locked`begin`
    await locked`select 1 from pgqrs_messages for update`
    const step = run.step('record', () => 'recorded')
    await eventually('some timeouts', () => kinds.filter((kind) => kind === 'retry').length >= 3)
    await locked`commit`
    locked.release()
    return step
  })
  await store.worker([work]).start()
  const handle = await store.trigger(work)
  expect(await handle.result({ timeout: '20s' })).toBe('recorded')
  expect(await handle.steps()).toHaveLength(1)
})
