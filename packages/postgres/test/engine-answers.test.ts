import { AmbiguousCommitError, defineQueue, defineWorkflow } from '@pgqrs/core'
import { eventually, startProxy, type TcpProxy } from '@pgqrs/test-database'
import type { Sql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import { client, database, strayErrors } from './database.js'
import { open } from './stores.js'

// Each is executed and committed by the server, and the answer never arrives.
const statements = {
  enqueue: /^\s*insert into "pgqrs_messages"/,
  claim: /for update skip locked/,
  record: /^\s*insert into "pgqrs_steps"/,
  commit: /^commit$/i,
  finish: /r\.failed, finished_at = /,
}

const queue = defineQueue<number>('numbers')

interface Setting {
  readonly dsn: string
  readonly admin: Sql
  readonly proxy: TcpProxy
}

async function setting(): Promise<Setting> {
  const dsn = await database()
  const admin = client(dsn)
  await admin`create table booked (run uuid)`
  await (await open(dsn)).admin.install()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  return { dsn, admin, proxy }
}

it('enqueues once when the answer to the INSERT is lost', async () => {
  const stray = strayErrors()
  const { admin, proxy } = await setting()
  const store = await open(proxy.dsn)
  const producer = store.producer(queue)
  const dropped = proxy.dropAnswerTo(statements.enqueue, { times: 2 })
  const id = await producer.enqueue(7)
  const ids = await producer.enqueueMany([8, 9])
  await dropped
  const rows = await admin<
    { id: string; payload: string }[]
  >`select id, payload from pgqrs_messages order by id`
  expect(rows.map((row) => row.id)).toEqual([id, ...ids])
  expect(stray).toEqual([])
})

it('says that it does not know when the answer is lost and the server with it, and a repeat adds nothing', async () => {
  const { admin, proxy } = await setting()
  const store = await open(proxy.dsn, { connectionTimeout: '1s' })
  const producer = store.producer(queue)
  await producer.enqueue(1)
  const dropped = proxy.dropAnswerTo(statements.enqueue).then(() => {
    proxy.refuse()
    proxy.cutAll()
  })
  const error: unknown = await producer.enqueue(7).catch((e: unknown) => e)
  await dropped
  expect(error).toBeInstanceOf(AmbiguousCommitError)
  const [id] = (error as AmbiguousCommitError).ids
  expect(await admin`select 1 from pgqrs_messages where id = ${id!}`).toHaveLength(1)
  await proxy.heal()
  expect(await producer.enqueue(7, { id: id! })).toBe(id)
  expect(await admin`select 1 from pgqrs_messages`).toHaveLength(2)
})

it.each(Object.keys(statements) as (keyof typeof statements)[])(
  'finishes a run with every effect once when the answer to %s is lost',
  async (what) => {
    const stray = strayErrors()
    const { dsn, admin, proxy } = await setting()
    const bodies: string[] = []
    const booking = defineWorkflow('booking', async (run, n: number) => {
      await run.step('look', () => bodies.push('look'))
      await run.transaction('book', async (tx) => {
        bodies.push('book')
        await tx`insert into booked values (${run.id})`
      })
      return n
    })
    const store = await open(proxy.dsn)
    const producing = await open(dsn)
    const dropped = proxy.dropAnswerTo(statements[what])
    await store.worker([booking]).start()
    const handle = await (what === 'enqueue' ? store : producing).trigger(booking, 7)
    expect(await handle.result()).toBe(7)
    await dropped
    expect(bodies).toEqual(['look', 'book'])
    expect(await admin`select run from booked`).toEqual([{ run: handle.id }])
    expect(await producing.admin.runs.get(handle.id)).toMatchObject({ claims: 1, crashes: 0, failures: 0 })
    expect(await producing.admin.metrics('booking')).toMatchObject({ archived: 1, leased: 0, ready: 0 })
    expect(stray).toEqual([])
  },
)

it('handles a message once when the answer to its end is lost', async () => {
  const { dsn, proxy } = await setting()
  const seen: number[] = []
  const store = await open(proxy.dsn)
  const dropped = proxy.dropAnswerTo(statements.finish)
  await store.worker([queue.handler(({ payload }) => void seen.push(payload))]).start()
  const other = await open(dsn)
  await other.producer(queue).enqueue(7)
  await dropped
  await eventually('the end', async () => (await other.admin.metrics('numbers')).archived === 1)
  await other.producer(queue).enqueue(8)
  await eventually('the next end', async () => (await other.admin.metrics('numbers')).archived === 2)
  expect(seen).toEqual([7, 8])
})
