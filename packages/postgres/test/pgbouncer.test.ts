import { defineQueue, defineWorkflow, type WorkerEvent } from '@pgqrs/core'
import { eventually, startPgBouncer } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { client, database } from './database.js'
import { open } from './stores.js'

it('does everything through PgBouncer in transaction mode, and says that it polls', async ({ skip }) => {
  const dsn = await database()
  const bouncer = await startPgBouncer(dsn)
  skip(bouncer === undefined, 'pgbouncer is not installed')
  onTestFinished(() => bouncer!.stop())
  const admin = client(dsn)
  await admin`create table booked (run uuid)`

  const store = await open(bouncer!.dsn, { prepare: false })
  await store.admin.install()
  expect(await store.admin.verify()).toMatchObject({ ok: true })
  const queue = defineQueue<number>('numbers')
  const booking = defineWorkflow('booking', async (run, n: number) => {
    const twice = await run.step('double', () => n * 2)
    await run.transaction('book', (tx) => tx`insert into booked values (${run.id})`)
    return twice
  })
  const seen: number[] = []
  const hints: boolean[] = []
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'hints') hints.push(event.arrive)
  }
  await store.worker([queue.handler(({ payload }) => void seen.push(payload)), booking], { onEvent }).start()
  // LISTEN is answered with success, and then nothing ever arrives.
  expect(hints).toEqual([false])

  const other = await open(bouncer!.dsn, { prepare: false })
  await other.producer(queue).enqueueMany([1, 2, 3])
  const handles = await Promise.all([1, 2, 3].map((n) => other.trigger(booking, n)))
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 4, 6])
  await eventually('the messages', () => seen.length === 3)
  const booked = await admin`select run from booked`
  expect(booked.map((row) => String(row['run'])).sort()).toEqual(handles.map(({ id }) => id).sort())
  expect(hints).toEqual([false])

  // The pooler lends its connections to everybody: nothing of ours may stay with one.
  const borrower = client(bouncer!.dsn, { max: 20, prepare: false })
  const all = Array.from({ length: 20 }, () =>
    borrower.unsafe("select current_setting('enable_seqscan') as scans, pg_sleep(0.1)").execute(),
  )
  expect(new Set((await Promise.all(all)).flat().map((row) => String(row['scans'])))).toEqual(new Set(['on']))
}, 60_000)
