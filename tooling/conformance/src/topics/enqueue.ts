import { describe, expect, it } from 'vitest'
import { defineQueue, IdConflictError, KeyConflictError } from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Enqueueing: ids, order, keys, delays, transactions. */
export function enqueue(target: Target): void {
  describe('enqueue', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('numbers')

    it('delivers what was enqueued, higher priority first, then by visible time, then by id', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      await producer.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }], { each: ({ n }) => ({ priority: n === 3 ? 5 : 0 }) })
      const messages = await store.consumer(queue).dequeue({ limit: 10 })
      expect(messages.map((m) => m.payload.n)).toEqual([3, 1, 2])
    })

    it('keeps one unfinished message for a key', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const first = await producer.enqueue({ n: 1 }, { key: 'k' })
      expect(await producer.enqueue({ n: 2 }, { key: 'k' })).toBe(first)
      await expect(producer.enqueue({ n: 2 }, { key: 'k', onConflict: 'reject' })).rejects.toThrow(KeyConflictError)
    })

    it('takes a repeated id with the same payload for the same message, and refuses another payload', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 })
      expect(await producer.enqueue({ n: 1 }, { id })).toBe(id)
      await expect(producer.enqueue({ n: 2 }, { id })).rejects.toThrow(IdConflictError)
    })
  })
}
