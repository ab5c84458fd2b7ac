import { describe, expect, it } from 'vitest'
import { defineQueue, KeyConflictError, type LeasedMessage } from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Keys: at most one unfinished message of a queue has one. */
export function keys(target: Target): void {
  describe('key', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('keyed')

    it('stands for one unfinished message', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const first = await producer.enqueue({ n: 1 }, { key: 'k' })
      expect(await producer.enqueue({ n: 2 }, { key: 'k' })).toBe(first)
      expect(await producer.enqueue({ n: 3 }, { key: 'k', delay: '1h', onConflict: 'ignore' })).toBe(first)
      expect(await producer.enqueue({ n: 4 }, { key: 'other' })).not.toBe(first)
      expect(await store.producer<unknown>('another').enqueue({}, { key: 'k' })).not.toBe(first)
      const messages = await store.consumer(queue).dequeue()
      expect(messages.map((m) => m.payload.n)).toEqual([1, 4])
      expect(await producer.enqueue({ n: 5 }, { key: 'k' })).toBe(first)
    })

    it('is free again when the message has finished, whatever way', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const consumer = store.consumer(queue)
      const ends: ((message: LeasedMessage<{ n: number }>) => Promise<unknown>)[] = [
        (message) => message.archive(),
        (message) => message.delete(),
        (message) => message.fail(new Error('no')),
        async (message) => {
          await message.release()
          await store.admin.messages.cancel(message.id)
        },
      ]
      const ids = new Set<string>()
      for (const [n, end] of ends.entries()) {
        ids.add(await producer.enqueue({ n }, { key: 'k', onConflict: 'reject' }))
        const [message] = await consumer.dequeue()
        await end(message!)
      }
      expect(ids.size).toBe(ends.length)
    })

    it('refuses a second message when asked to, and says which one is there', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 }, { key: 'k' })
      const second = producer.enqueue({ n: 2 }, { key: 'k', onConflict: 'reject' })
      await expect(second).rejects.toThrow(KeyConflictError)
      await expect(second).rejects.toMatchObject({ code: 'KEY_CONFLICT', key: 'k', id })
    })

    it('gives the waiting message another payload, priority and time with replace', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 }, { key: 'k', delay: '1h' })
      await producer.enqueue({ n: 2 })
      expect(await producer.enqueue({ n: 3 }, { key: 'k', onConflict: 'replace', priority: 1 })).toBe(id)
      const messages = await store.consumer(queue).dequeue()
      expect(messages.map((m) => [m.payload.n, m.priority])).toEqual([
        [3, 1],
        [2, 0],
      ])
    })

    it('makes a message with replace when there is none', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue({ n: 1 }, { key: 'k', onConflict: 'replace' })
      expect((await store.consumer(queue).dequeue()).map((m) => m.id)).toEqual([id])
    })

    it('repeats a replace with an id of the caller’s without an error', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 0 })
      await store.admin.messages.archive(id)
      const again = { id, key: 'k', onConflict: 'replace' } as const
      expect(await producer.enqueue({ n: 0 }, again)).toBe(id)
      const made = { id: id.replace(/.{4}$/, '0000'), key: 'k', onConflict: 'replace' } as const
      expect(await producer.enqueue({ n: 1 }, made)).toBe(made.id)
      expect(await producer.enqueue({ n: 1 }, made)).toBe(made.id)
      expect((await store.consumer(queue).dequeue()).map((m) => m.payload.n)).toEqual([1])
    })

    it('cannot replace a message that somebody holds', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 }, { key: 'k' })
      const [message] = await store.consumer(queue).dequeue()
      const replacing = producer.enqueue({ n: 2 }, { key: 'k', onConflict: 'replace' })
      await expect(replacing).rejects.toThrow(KeyConflictError)
      await expect(replacing).rejects.toMatchObject({ id })
      expect((await store.admin.messages.get(id)).payload).toEqual({ n: 1 })
      await message?.release()
      expect(await producer.enqueue({ n: 2 }, { key: 'k', onConflict: 'replace' })).toBe(id)
    })

    it('makes one message of 50 parallel calls from two stores', async () => {
      const producers = [await bench.open(), await bench.open()].map((store) => store.producer(queue))
      const calls = Array.from({ length: 50 }, (_, n) => producers[n % 2]!.enqueue({ n }, { key: 'k' }))
      expect(new Set(await Promise.all(calls)).size).toBe(1)
      const store = await bench.open()
      expect(await store.admin.metrics('keyed')).toMatchObject({ ready: 1 })
    })

    it('lets one of 50 parallel calls win when the others are to be refused', async () => {
      const producers = [await bench.open(), await bench.open()].map((store) => store.producer(queue))
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, (_, n) =>
          producers[n % 2]!.enqueue({ n }, { key: 'k', onConflict: 'reject' }),
        ),
      )
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(KeyConflictError)
      }
    })
  })
}
