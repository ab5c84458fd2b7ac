import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  defineQueue,
  defineWorkflow,
  PayloadError,
  RateLimitedError,
  TransactionAdapter,
  type Store,
} from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'
import { expectRefused, openWithoutDatabase } from '../untouched-database.js'

/** Schemas, limits and the rate limit: checked before the database is asked, and a batch is refused whole. */
export function validation(target: Target): void {
  describe('validation', () => {
    const bench = useBench(target)
    const email = z.object({ to: z.string().includes('@'), at: z.coerce.date().optional() })
    const emails = defineQueue('emails', { payload: email })

    async function nothingIn(store: Store, queue: string): Promise<void> {
      await store.admin.queues.create(queue)
      expect(await store.admin.metrics(queue)).toMatchObject({ ready: 0, delayed: 0 })
    }

    it('refuses a payload that does not fit its schema, with the place in it', async () => {
      const store = await bench.open()
      const producer = store.producer(emails)
      const error: unknown = await producer.enqueue({ to: 'nobody' }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(PayloadError)
      expect((error as Error).message).toMatch(/"emails".*\bto: /)
      const batch = producer.enqueueMany([{ to: 'a@b' }, { to: 'c@d' }, { to: 'nobody' }])
      await expect(batch).rejects.toThrow(/payload 2 .*\bto: /)
      await nothingIn(store, 'emails')
    })

    it('stores what the schema makes of a payload', async () => {
      const store = await bench.open()
      await store.producer(emails).enqueue({ to: 'a@b', at: '2030-01-01T00:00:00Z' })
      const [message] = await store.consumer(emails).dequeue()
      expect(message?.payload).toStrictEqual({ to: 'a@b', at: new Date('2030-01-01T00:00:00Z') })
    })

    it('waits for a schema that answers later', async () => {
      const store = await bench.open()
      const known = z.object({
        user: z.string().refine((user) => Promise.resolve(user === 'ann'), 'unknown user'),
      })
      const queue = defineQueue('later', {
        payload: known.transform(({ user }) => ({ user, checked: true })),
      })
      const producer = store.producer(queue)
      await expect(producer.enqueue({ user: 'bob' })).rejects.toThrow('user: unknown user')
      await expect(producer.enqueueMany([{ user: 'ann' }, { user: 'bob' }])).rejects.toThrow(PayloadError)
      await nothingIn(store, 'later')
      await producer.enqueueMany([{ user: 'ann' }, { user: 'ann' }])
      const messages = await store.consumer(queue).dequeue()
      expect(messages.map(({ payload }) => payload)).toEqual(Array(2).fill({ user: 'ann', checked: true }))
    })

    it('checks the input of a workflow, and hands it over as the schema makes it', async () => {
      const store = await bench.open()
      const input = z.object({ n: z.string().transform(Number) })
      const double = defineWorkflow('double', { input }, (_run, { n }) => Promise.resolve(n * 2))
      await expect(store.trigger(double, { n: 1 as unknown as string })).rejects.toThrow(/\bn: /)
      const worker = store.worker([double])
      await worker.start()
      const handle = await store.trigger(double, { n: '21' })
      expect(await handle.result({ timeout: '20s' })).toBe(42)
      await worker.stop()
      expect(await store.admin.metrics('double')).toMatchObject({ archived: 1, dead: 0 })
    })

    it('takes any Standard Schema, not only those of one library', async () => {
      const store = await bench.open()
      const even = {
        '~standard': {
          version: 1 as const,
          vendor: 'by-hand',
          validate: (value: unknown) =>
            typeof value === 'number' && value % 2 === 0
              ? { value }
              : { issues: [{ message: 'not even', path: [{ key: 'n' }, 0] }] },
        },
      }
      const producer = store.producer(defineQueue('even', { payload: even }))
      await expect(producer.enqueue(1)).rejects.toThrow('n.0: not even')
      await producer.enqueue(2)
    })

    it('keeps the limits of the queue, or those of the producer in their place', async () => {
      const store = await bench.open()
      const queue = defineQueue<object>('limited', {
        limits: { maxStringLength: 3, forbiddenKeys: ['secret'], requiredKeys: ['id'], maxDepth: 3 },
      })
      const producer = store.producer(queue)
      await producer.enqueue({ id: 'abc', deep: [[]] })
      await expectRefused('INVALID_PAYLOAD', [
        ['a long string', () => producer.enqueue({ id: 'abcd' }), '$.id'],
        ['a long string in an array', () => producer.enqueue({ id: 1, list: ['abc', 'abcd'] }), '$.list[1]'],
        ['a forbidden key', () => producer.enqueue({ id: 1, secret: 1 }), '"secret"'],
        ['a forbidden key further down', () => producer.enqueue({ id: 1, user: { secret: 1 } }), '$.user'],
        [
          'a forbidden key in a Map',
          () => producer.enqueue({ id: 1, m: new Map([[1, { secret: 1 }]]) }),
          '"secret"',
        ],
        ['a missing key', () => producer.enqueue({ name: 1 }), '"id"'],
        ['an inherited key', () => producer.enqueue([]), '"id"'],
        ['no object at all', () => producer.enqueue(5 as unknown as object), '"id"'],
        ['too deep', () => producer.enqueue({ id: 1, a: [[[]]] }), 'maxDepth'],
        ['one of a batch', () => producer.enqueueMany([{ id: 1 }, { id: 'abcd' }]), '$.id'],
      ])
      await store.producer(queue, { limits: {} }).enqueue({ secret: 'a long one' })
      expect(await store.admin.metrics('limited')).toMatchObject({ ready: 2 })
    })

    it('refuses what comes faster than the rate limit, and says after which time it would pass', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer<number>('limited', { rateLimit: { perSecond: 2, burst: 3 } })
      await producer.enqueueMany([1, 2])
      await producer.enqueue(3)
      const refused: unknown = await producer.enqueue(4).catch((error: unknown) => error)
      expect(refused).toBeInstanceOf(RateLimitedError)
      expect(refused).toMatchObject({ retryAfterMs: 500, retryable: true, code: 'RATE_LIMITED' })
      await clock.advance(499)
      await expect(producer.enqueue(4)).rejects.toThrow(RateLimitedError)
      await clock.advance(1)
      await producer.enqueue(4)
      await clock.advance(60_000)
      // A long quiet time saves no more than the burst.
      await producer.enqueueMany([5, 6, 7])
      await expect(producer.enqueue(8)).rejects.toThrow(RateLimitedError)
      expect(await store.admin.metrics('limited')).toMatchObject({ ready: 7 })
    })

    it('takes nothing of a batch the rate limit has no room for, and says when it will never have', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer<number>('limited', { rateLimit: { perSecond: 2, burst: 3 } })
      await producer.enqueue(1)
      await expect(producer.enqueueMany([2, 3, 4])).rejects.toMatchObject({ retryAfterMs: 500 })
      const never: unknown = await producer.enqueueMany([2, 3, 4, 5]).catch((error: unknown) => error)
      expect(never).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: Infinity, retryable: false })
      expect((never as Error).message).toContain('at most 3')
      await producer.enqueueMany([2, 3])
      expect(await store.admin.metrics('limited')).toMatchObject({ ready: 3 })
    })

    it('counts nothing towards the rate limit that was refused for another reason', async () => {
      const store = await bench.open({ clock: new TestClock() })
      const producer = store.producer<unknown>('limited', { rateLimit: { perSecond: 1 } })
      await expect(producer.enqueue(() => 1)).rejects.toThrow('function')
      await expect(producer.enqueueMany([1, () => 1])).rejects.toThrow('function')
      await producer.enqueue(1)
    })

    it('finds all of this out without the database', async () => {
      const store = await openWithoutDatabase(bench)
      const producer = store.producer(emails, { limits: { maxBytes: 100 }, rateLimit: { perSecond: 1 } })
      const workflow = defineWorkflow('untouched', { input: email }, () => Promise.resolve(1))
      const untouched = new TransactionAdapter(() => Promise.reject(new Error('the transaction was used')))
      const long = { to: `${'a'.repeat(100)}@b` }
      await expectRefused('INVALID_PAYLOAD', [
        ['the schema', () => producer.enqueue({ to: '' })],
        ['the schema, in a batch', () => producer.enqueueMany([{ to: 'a@b' }, { to: '' }])],
        ['the size', () => producer.enqueue(long)],
        ['the size, in a batch', () => producer.enqueueMany([{ to: 'a@b' }, long])],
        ['the input of a run', () => store.trigger(workflow, { to: '' })],
      ])
      await expectRefused('UNSERIALIZABLE', [
        ['a function', () => store.producer('q').enqueue(() => 1)],
        ['a function, in a transaction', () => store.producer('q').enqueue(() => 1, { tx: untouched })],
      ])
      await expectRefused('RATE_LIMITED', [
        ['the rate', () => producer.enqueueMany([{ to: 'a@b' }, { to: 'c@d' }])],
      ])
    })
  })
}
