import { defineQueue, defineWorkflow, TerminalError } from '@pgqrs/core'
import { connect, type Database as Connection } from '@pgqrs/sqlite'
import type { Store } from '@pgqrs/core/driver'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'

const queue = defineQueue<number>('parcels')

/** The application's database in memory, and stores that share its connection. */
async function shared(): Promise<{ client: Connection; stores: [Store, Store] }> {
  const client = new Database(':memory:')
  const stores: [Store, Store] = [await connect({ client }), await connect({ client })]
  onTestFinished(async () => {
    for (const store of stores) await store.close()
    client.close()
  })
  await stores[0].admin.install()
  return { client, stores }
}

it('never writes into a transaction that the application has open on its connection', async () => {
  const { client, stores } = await shared()
  const producer = stores[0].producer(queue)
  await producer.enqueue(1)
  client.exec('begin')
  const writes = [producer.enqueue(2), producer.enqueueMany([3, 4]), stores[1].producer(queue).enqueue(5)]
  // Long enough for whatever does not wait.
  await new Promise((resolve) => setImmediate(resolve))
  const inside = await producer.enqueue(6, { tx: client })
  client.exec('rollback')
  await Promise.all(writes)
  expect(await stores[0].admin.metrics('parcels')).toMatchObject({ ready: 5 })
  await expect(stores[0].admin.messages.get(inside)).rejects.toThrow('There is no message')
})

it('keeps the transactional steps of one store apart from the writes of another on the same connection', async () => {
  const { client, stores } = await shared()
  client.exec('create table effects (name text)')
  let enqueued: Promise<string> | undefined
  const workflow = defineWorkflow('paying', { retry: { maxAttempts: 1 } }, async (run, _: number) => {
    await run.transaction('pay', async (tx) => {
      tx.prepare("insert into effects values ('paid')").run()
      enqueued = stores[1].producer(queue).enqueue(1)
      await new Promise((resolve) => setImmediate(resolve))
      throw new TerminalError('no money')
    })
  })
  await stores[0].worker([workflow]).start()
  const handle = await stores[0].trigger(workflow, 1)
  await expect(handle.result({ timeout: '20s' })).rejects.toThrow('no money')
  await enqueued
  expect(await stores[0].admin.metrics('parcels')).toMatchObject({ ready: 1 })
  expect(client.prepare('select * from effects').all()).toEqual([])
})

it('takes back all of a batch in the application’s transaction when the database refuses one of it', async () => {
  const { client, stores } = await shared()
  const producer = stores[0].producer(queue)
  await producer.enqueue(1)
  client.exec(
    "create trigger refuse before insert on pgqrs_messages when new.payload = '3' begin select raise(fail, 'no threes'); end",
  )
  client.exec('begin')
  expect(() => producer.enqueueMany([2, 3], { tx: client })).toThrow('no threes')
  await producer.enqueue(4, { tx: client })
  client.exec('commit')
  const messages = await stores[0].consumer(queue).dequeue()
  expect(messages.map((m) => m.payload)).toEqual([1, 4])
})
