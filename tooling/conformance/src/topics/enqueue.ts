import { describe, expect, it } from 'vitest'
import { defineQueue, IdConflictError, type MessageOptions } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
import { intercept } from '../intercept.js'
import type { Target } from '../target.js'

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Enqueueing single messages: ids, order, delays, group commit. */
export function enqueue(target: Target): void {
  describe('enqueue', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('numbers')

    it('delivers what was enqueued, higher priority first, then by visible time, then by id', async () => {
      const store = await bench.open({ clock: new TestClock(1_900_000_000_000) })
      const options = new Map<number, MessageOptions>([
        [3, { priority: 5 }],
        [4, { priority: -2 }],
        [5, { priority: -1 }],
        [6, { at: new Date(1_899_999_999_000) }],
      ])
      await store.producer(queue).enqueueMany(
        [1, 2, 3, 4, 5, 6, 7].map((n) => ({ n })),
        { each: ({ n }) => options.get(n) ?? {} },
      )
      const messages = await store.consumer(queue).dequeue({ limit: 10 })
      expect(messages.map((m) => m.payload.n)).toEqual([3, 6, 1, 2, 7, 5, 4])
    })

    it('serves the same order over several dequeues of one', async () => {
      const store = await bench.open()
      const ids = await store.producer(queue).enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }])
      const consumer = store.consumer(queue)
      const served = []
      for (let i = 0; i < 3; i++) served.push(...(await consumer.dequeue({ limit: 1 })))
      expect(served.map((m) => m.id)).toEqual(ids)
    })

    it('hands over exactly what was enqueued', async () => {
      const store = await bench.open()
      const payload = { n: 1, text: 'ß 漢 🐘 "\\\u0007', at: new Date(0), big: 2n ** 70n, none: undefined }
      const producer = store.producer<unknown>('anything')
      const id = await producer.enqueue(payload, { key: 'k', priority: 7 })
      const [message] = await store.consumer('anything').dequeue()
      expect(message?.payload).toStrictEqual(payload)
      expect(message).toMatchObject({ id, key: 'k', priority: 7, queue: 'anything', attempt: 1, crashes: 0 })
    })

    it('makes ids that are UUIDv7 and grow', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const one = await producer.enqueue({ n: 1 })
      const many = await producer.enqueueMany([{ n: 2 }, { n: 3 }, { n: 4 }])
      for (const id of [one, ...many]) expect(id).toMatch(uuidV7)
      expect([one, ...many]).toEqual([one, ...many].sort())
    })

    it('keeps a message back until its delay is over or its time has come, never less', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer(queue)
      await producer.enqueue({ n: 1 }, { delay: '10s' })
      await producer.enqueue({ n: 2 }, { at: new Date(clock.wallNow() + 20_000) })
      const consumer = store.consumer(queue)
      const due = async (): Promise<number[]> => (await consumer.dequeue()).map((m) => m.payload.n)
      await clock.advance(9_999)
      expect(await due()).toEqual([])
      await clock.advance(1)
      expect(await due()).toEqual([1])
      await clock.advance(9_999)
      expect(await due()).toEqual([])
      await clock.advance(1)
      expect(await due()).toEqual([2])
    })

    it('takes a repeated id with the same payload for the same message, and refuses another payload', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 })
      expect(await producer.enqueue({ n: 1 }, { id })).toBe(id)
      await expect(producer.enqueue({ n: 2 }, { id })).rejects.toThrow(IdConflictError)
      expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
    })

    it('takes a repeated id for the same message when it was archived meanwhile', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue({ n: 1 })
      const [message] = await store.consumer(queue).dequeue()
      await message?.archive()
      expect(await producer.enqueue({ n: 1 }, { id })).toBe(id)
      expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 0, archived: 1 })
    })

    describe('group commit', () => {
      it('commits 500 parallel calls and gives each its own id', async () => {
        const store = await bench.open()
        const producer = store.producer(queue)
        const calls = Array.from({ length: 500 }, (_, n) => producer.enqueue({ n }))
        const ids = await Promise.all(calls)
        const messages = await store.consumer(queue).dequeue({ limit: 1000 })
        expect(new Map(messages.map((m) => [m.id, m.payload.n]))).toEqual(
          new Map(ids.map((id, n) => [id, n])),
        )
      })

      it('sends parallel calls together, the first ones of a queue included', async () => {
        let sent = 0
        const wrapDriver = intercept((statements, next) => {
          sent++
          return next(statements)
        })
        const store = await bench.open({ wrapDriver })
        await Promise.all(Array.from({ length: 500 }, (_, n) => store.producer(queue).enqueue({ n })))
        expect(sent).toBeLessThan(50)
      })

      it('does not let a row that the database refuses fail its neighbours', async () => {
        const refusing = intercept(async (statements, next) => {
          if (JSON.stringify(statements).includes('"poison')) throw new Error('refused by the database')
          return next(statements)
        })
        const store = await bench.open({ wrapDriver: refusing })
        const producer = store.producer<string>('words')
        await producer.enqueue('first')
        const words = Array.from({ length: 40 }, (_, n) =>
          n === 7 || n === 23 ? `poison ${n}` : `word ${n}`,
        )
        const outcomes = await Promise.allSettled(words.map((word) => producer.enqueue(word)))
        const refused = outcomes.flatMap((outcome, n) => (outcome.status === 'rejected' ? [n] : []))
        expect(refused).toEqual([7, 23])
        const messages = await store.consumer<string>('words').dequeue({ limit: 100 })
        const delivered = messages.map((m) => m.payload).sort()
        expect(delivered).toEqual(['first', ...words.filter((word) => !word.startsWith('poison'))].sort())
      })

      it('tells one call that its id is taken without failing its neighbours', async () => {
        const store = await bench.open()
        const producer = store.producer(queue)
        const id = await producer.enqueue({ n: 0 })
        const outcomes = await Promise.allSettled([
          producer.enqueue({ n: 1 }),
          producer.enqueue({ n: 2 }, { id }),
          producer.enqueue({ n: 3 }),
        ])
        expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 3 })
      })
    })
  })
}
