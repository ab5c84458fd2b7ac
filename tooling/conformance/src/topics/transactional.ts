import { describe, expect, it } from 'vitest'
import {
  defineQueue,
  defineWorkflow,
  InvalidArgumentError,
  KeyConflictError,
  type DriverTransaction,
} from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Enqueueing and triggering in a transaction of the application's own client. */
export function transactional(target: Target): void {
  describe('transactional enqueue', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('orders')
    const greet = defineWorkflow('greet', (_, name: string) => `hello ${name}`)
    const refused = new Error('the application changed its mind')

    it('makes the message and the application’s row visible together, with the commit', async ({ skip }) => {
      skip(!target.capabilities.shared, 'the only connection there is sees what it has not committed')
      const store = await bench.open()
      const outside = await bench.open()
      let id = ''
      await bench.db.inTransaction(async (tx) => {
        id = await store.producer(queue).enqueue({ n: 1 }, { tx })
        await bench.db.writeEffect(tx, 'ordered')
        expect((await outside.admin.messages.list()).items).toEqual([])
      })
      expect((await outside.consumer(queue).dequeue()).map((m) => m.id)).toEqual([id])
      expect(await bench.db.query('select name from effects')).toEqual([{ name: 'ordered' }])
    })

    it('leaves nothing behind when it is rolled back', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const rolledBack = bench.db.inTransaction(async (tx) => {
        await producer.enqueue({ n: 1 }, { tx })
        await producer.enqueueMany([{ n: 2 }, { n: 3 }], { tx })
        await store.trigger(greet, 'you', { tx, key: 'k' })
        await bench.db.writeEffect(tx, 'ordered')
        throw refused
      })
      await expect(rolledBack).rejects.toBe(refused)
      expect((await store.admin.messages.list()).items).toEqual([])
      expect(await bench.db.query('select name from effects')).toEqual([])
    })

    it('works for the same queue after a rollback', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const rolledBack = bench.db.inTransaction(async (tx) => {
        await producer.enqueue({ n: 1 }, { tx })
        throw refused
      })
      await expect(rolledBack).rejects.toBe(refused)
      await producer.enqueue({ n: 2 })
      expect(await store.admin.metrics('orders')).toMatchObject({ ready: 1 })
    })

    it('takes batches, all of them with the commit', async () => {
      const store = await bench.open()
      let ids: string[] = []
      await bench.db.inTransaction(async (tx) => {
        ids = await store
          .producer(queue)
          .enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], { tx, each: ({ n }) => ({ priority: -n }) })
      })
      expect((await store.consumer(queue).dequeue()).map((m) => m.id)).toEqual(ids)
    })

    it('triggers a run that a worker picks up after the commit', async () => {
      const store = await bench.open()
      const handle = { id: '' }
      await bench.db.inTransaction(async (tx) => {
        handle.id = (await store.trigger(greet, 'Ada', { tx })).id
      })
      await store.worker([greet]).start()
      expect(await store.run(greet, handle.id).result({ timeout: '20s' })).toBe('hello Ada')
    })

    it('finds out about a key that is taken, and the transaction can go on', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 }, { key: 'k' })
      await bench.db.inTransaction(async (tx) => {
        expect(await producer.enqueue({ n: 2 }, { key: 'k', tx })).toBe(id)
        // Where the transaction is synchronous, the call itself throws.
        const reject = async (): Promise<string> =>
          producer.enqueue({ n: 3 }, { key: 'k', onConflict: 'reject', tx })
        await expect(reject()).rejects.toThrow(KeyConflictError)
        await producer.enqueue({ n: 4 }, { key: 'other', tx })
        expect(await producer.enqueue({ n: 5 }, { key: 'other', tx })).not.toBe(id)
      })
      expect((await store.consumer(queue).dequeue()).map((m) => m.payload.n)).toEqual([1, 4])
    })

    it('replaces a message only with the commit', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 }, { key: 'k' })
      const replaceIn = async (tx: DriverTransaction, n: number): Promise<void> => {
        expect(await producer.enqueue({ n }, { key: 'k', onConflict: 'replace', tx })).toBe(id)
      }
      const rolledBack = bench.db.inTransaction(async (tx) => {
        await replaceIn(tx, 2)
        throw refused
      })
      await expect(rolledBack).rejects.toBe(refused)
      expect((await store.admin.messages.get(id)).payload).toEqual({ n: 1 })
      await bench.db.inTransaction((tx) => replaceIn(tx, 3))
      expect((await store.admin.messages.get(id)).payload).toEqual({ n: 3 })
    })

    it('refuses what is no transaction, and enqueues nothing', async () => {
      const store = await bench.open()
      for (const tx of [{}, 'tx', null, () => undefined]) {
        const enqueued = store.producer(queue).enqueue({ n: 1 }, { tx: tx as never })
        await expect(enqueued).rejects.toThrow(InvalidArgumentError)
      }
      expect((await store.admin.messages.list()).items).toEqual([])
    })
  })
}
