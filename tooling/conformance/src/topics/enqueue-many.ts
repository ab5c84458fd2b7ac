import { describe, expect, it } from 'vitest'
import { defineQueue, IdConflictError, KeyConflictError, PayloadError, SerializationError } from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Enqueueing batches: all or none. */
export function enqueueMany(target: Target): void {
  describe('enqueueMany', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: unknown }>('batches')

    it('takes 5,000 messages and returns their ids in the order of the payloads', async () => {
      const store = await bench.open()
      const ids = await store.producer(queue).enqueueMany(Array.from({ length: 5000 }, (_, n) => ({ n })))
      expect(new Set(ids).size).toBe(5000)
      const messages = await store.consumer(queue).dequeue({ limit: 5000 })
      expect(messages.map((m) => m.id)).toEqual(ids)
      expect(messages.map((m) => m.payload.n)).toEqual(Array.from({ length: 5000 }, (_, n) => n))
    })

    it('has nothing to do for a batch of zero', async () => {
      const store = await bench.open()
      expect(await store.producer(queue).enqueueMany([])).toEqual([])
    })

    it('enqueues nothing when one payload cannot be stored', async () => {
      const store = await bench.open()
      await store.admin.queues.create('batches')
      const producer = store.producer(queue, { limits: { maxBytes: 100 } })
      await expect(producer.enqueueMany([{ n: 1 }, { n: () => 1 }, { n: 3 }])).rejects.toThrow(
        SerializationError,
      )
      await expect(producer.enqueueMany([{ n: 1 }, { n: 'x'.repeat(100) }])).rejects.toThrow(PayloadError)
      expect(await store.admin.metrics('batches')).toMatchObject({ ready: 0 })
    })

    it('makes one message of a key that appears twice in it', async () => {
      const store = await bench.open()
      const [first, second, other] = await store
        .producer(queue)
        .enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], { each: ({ n }) => ({ key: n === 3 ? 'b' : 'a' }) })
      expect(second).toBe(first)
      expect(other).not.toBe(first)
      const messages = await store.consumer(queue).dequeue()
      expect(messages.map((m) => [m.id, m.payload.n])).toEqual([
        [first, 1],
        [other, 3],
      ])
    })

    it('enqueues nothing when a key that must be free is taken', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 0 }, { key: 'taken' })
      const batch = producer.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], {
        each: ({ n }) => (n === 2 ? { key: 'taken', onConflict: 'reject' } : {}),
      })
      await expect(batch).rejects.toThrow(KeyConflictError)
      await expect(batch).rejects.toMatchObject({ key: 'taken', id })
      const twice = { each: { key: 'twice', onConflict: 'reject' } } as const
      await expect(producer.enqueueMany([{ n: 1 }, { n: 2 }], twice)).rejects.toThrow(KeyConflictError)
      expect(await store.admin.metrics('batches')).toMatchObject({ ready: 1 })
    })

    it('enqueues nothing when an id is taken by another payload, and repeats a batch without duplicates', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const ids = await producer.enqueueMany([{ n: 1 }, { n: 2 }])
      const each = (_: unknown, i: number) => (i < 2 ? { id: ids[i]! } : {})
      expect((await producer.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], { each })).slice(0, 2)).toEqual(ids)
      await expect(producer.enqueueMany([{ n: 1 }, { n: 'other' }, { n: 4 }], { each })).rejects.toThrow(
        IdConflictError,
      )
      const messages = await store.consumer(queue).dequeue()
      expect(messages.map((m) => m.payload.n)).toEqual([1, 2, 3])
    })
  })
}
