import { describe, expect, it } from 'vitest'
import {
  defineQueue,
  EnqueueStreamError,
  InvalidArgumentError,
  KeyConflictError,
  SerializationError,
  type EnqueueProgress,
} from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { Gate } from '../gate.js'
import { intercept } from '../intercept.js'
import { LossyLine } from '../lossy-line.js'
import { untilSettled } from '../pass-time.js'
import type { Target } from '../target.js'

// No driver has more flushes on their way than this.
const MOST_PARALLEL = 4

/** Enqueueing streams: batch by batch, no further ahead than need be, and no doubt about what is committed. */
export function enqueueStream(target: Target): void {
  describe('enqueueMany of a stream', () => {
    const bench = useBench(target)
    const queue = defineQueue<unknown>('streamed')

    /** A source that says how far it was read and whether it was let go. */
    function numbers(count: number, at: (n: number) => unknown = (n) => n) {
      const told = { read: 0, over: false }
      async function* source(): AsyncGenerator<unknown> {
        try {
          for (let n = 0; n < count; n++) {
            told.read = n + 1
            yield await at(n)
          }
        } finally {
          told.over = true
        }
      }
      return { told, source: source() }
    }

    const failureOf = async (call: Promise<unknown>): Promise<EnqueueStreamError> => {
      const error = await call.then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error instanceof EnqueueStreamError) return error
      throw new Error('the stream should have ended with an EnqueueStreamError', { cause: error })
    }

    it('takes all of it, in batches whose ids and progress it tells', async () => {
      const store = await bench.open()
      const progress: EnqueueProgress[] = []
      const { source, told } = numbers(1050)
      const count = await store
        .producer(queue)
        .enqueueMany(source, { batch: 100, onProgress: (one) => progress.push(one) })
      expect(count).toBe(1050)
      expect(told).toEqual({ read: 1050, over: true })
      expect(progress.map(({ ids }) => ids.length).sort((a, b) => a - b)).toEqual([
        50,
        ...Array.from({ length: 10 }, () => 100),
      ])
      expect(progress.at(-1)?.enqueued).toBe(1050)
      const messages = await store.consumer(queue).dequeue({ limit: 2000 })
      const inOrder = progress.sort((a, b) => a.from - b.from).flatMap(({ ids }) => ids)
      const payloads = new Map(messages.map((message) => [message.id, message.payload]))
      expect(inOrder.map((id) => payloads.get(id))).toEqual(Array.from({ length: 1050 }, (_, n) => n))
    })

    it('takes what is at hand in batches when it is told to, and an array whole when it is not', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      expect(await producer.enqueueMany(new Set([1, 2, 3]), { batch: 2 })).toBe(3)
      expect(await producer.enqueueMany([4, 5, 6], { batch: 2 })).toBe(3)
      expect(await producer.enqueueMany([7, 8])).toHaveLength(2)
      expect(await producer.enqueueMany(numbers(0).source)).toBe(0)
      expect(await store.admin.metrics('streamed')).toMatchObject({ ready: 8 })
      await expect(producer.enqueueMany(new Set([1]) as never)).rejects.toThrow(/Give `batch`/)
      for (const batch of [0, -1, 1.5, NaN, 10_001]) {
        await expect(producer.enqueueMany(numbers(1).source, { batch })).rejects.toThrow(InvalidArgumentError)
      }
      await expect(producer.enqueueMany(numbers(1).source, { btch: 1 } as never)).rejects.toThrow(/batch/)
      await expect(producer.enqueueMany([1], { batch: 1, tx: {} } as never)).rejects.toThrow(/tx/)
      expect(await store.admin.metrics('streamed')).toMatchObject({ ready: 8 })
    })

    it('gives each payload its options by its position in the source', async () => {
      const store = await bench.open()
      const each = (payload: unknown, index: number): { priority: number; key: string } => {
        expect(payload).toBe(index)
        return { priority: index, key: `k${index}` }
      }
      expect(await store.producer(queue).enqueueMany(numbers(20).source, { batch: 3, each })).toBe(20)
      const messages = await store.consumer(queue).dequeue({ limit: 30 })
      expect(messages.map(({ key, payload }) => [key, payload])).toEqual(
        Array.from({ length: 20 }, (_, i) => [`k${19 - i}`, 19 - i]),
      )
    })

    it('reads no further ahead than it can send', async () => {
      const gate = new Gate()
      let blocked = 0
      const wrapDriver = intercept(async (statements, next) => {
        if (statements.some((statement) => transitionOf(statement) === 'enqueue')) {
          blocked++
          await gate.passed
        }
        return next(statements)
      })
      const store = await bench.open({ wrapDriver })
      const { source, told } = numbers(1000)
      const streaming = store.producer(queue).enqueueMany(source, { batch: 10 })
      await eventually('a batch to be under way', () => blocked > 0)
      // The source never makes anybody wait: what is not read in a few turns is not asked for.
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
      expect(told.read).toBeLessThanOrEqual((MOST_PARALLEL + 1) * 10)
      expect(blocked).toBeLessThanOrEqual(MOST_PARALLEL)
      gate.open()
      expect(await streaming).toBe(1000)
    })

    it('ends at a payload that cannot be stored, and tells what is committed', async () => {
      const store = await bench.open()
      const { source, told } = numbers(100, (n) => (n === 25 ? () => 'no value' : n))
      const error = await failureOf(store.producer(queue).enqueueMany(source, { batch: 10 }))
      expect(error).toMatchObject({ enqueued: 20, committed: [{ from: 0, to: 20 }], uncertain: [] })
      expect(error.cause).toBeInstanceOf(SerializationError)
      expect(error).toMatchObject({ code: 'STREAM_ENDED', retryable: false })
      await eventually('the source to be let go', () => told.over)
      expect(told.read).toBe(26)
      expect(await store.admin.metrics('streamed')).toMatchObject({ ready: 20 })
    })

    it('ends with its source, with a batch that is refused, and with a callback that throws', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const torn = new Error('the file is torn')
      const source = numbers(100, (n) => (n === 15 ? Promise.reject(torn) : n)).source
      const ofSource = await failureOf(producer.enqueueMany(source, { batch: 10 }))
      expect(ofSource).toMatchObject({ enqueued: 10, committed: [{ from: 0, to: 10 }], cause: torn })

      await producer.enqueue('holder', { key: 'k12' })
      const each = (_: unknown, n: number) => ({ key: `k${n}`, onConflict: 'reject' }) as const
      const { told, source: refused } = numbers(1000)
      const ofBatch = await failureOf(producer.enqueueMany(refused, { batch: 5, each }))
      expect(ofBatch.cause).toBeInstanceOf(KeyConflictError)
      const positions = ofBatch.committed.flatMap(({ from, to }) =>
        Array.from({ length: to - from }, (_, i) => from + i),
      )
      expect(positions).toHaveLength(ofBatch.enqueued)
      expect(positions).not.toContain(12)
      expect(told.read).toBeLessThan(1000)
      const keys = (await store.admin.messages.list({ limit: 1000 })).items.map(({ key }) => key)
      expect(keys.filter((key) => key !== undefined && key !== 'k12').sort()).toEqual(
        positions.map((n) => `k${n}`).sort(),
      )

      const ofCallback = await failureOf(
        producer.enqueueMany(numbers(10).source, {
          onProgress: () => {
            throw torn
          },
        }),
      )
      expect(ofCallback).toMatchObject({ enqueued: 10, committed: [{ from: 0, to: 10 }], cause: torn })
    })

    it('ends when its signal aborts, even while the source keeps it waiting', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const controller = new AbortController()
      const { source } = numbers(100, (n) => (n === 20 ? new Promise(() => undefined) : n))
      let enqueued = 0
      const streaming = producer.enqueueMany(source, {
        batch: 10,
        signal: controller.signal,
        onProgress: (progress) => {
          enqueued = progress.enqueued
        },
      })
      const failed = failureOf(streaming)
      await eventually('all that came', () => enqueued === 20)
      controller.abort(new Error('enough'))
      const error = await failed
      expect(error).toMatchObject({ enqueued: 20, committed: [{ from: 0, to: 20 }], uncertain: [] })
      expect(error.cause).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } })
      const again = producer.enqueueMany(numbers(1).source, { signal: controller.signal })
      await expect(again).rejects.toMatchObject({ code: 'ABORTED' })
    })

    it.each(['request', 'answer'] as const)('a lost %s in it leaves each message once', async (loss) => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      line.lose('enqueue', loss)
      expect(await store.producer(queue).enqueueMany(numbers(30).source, { batch: 10 })).toBe(30)
      expect(line.lost).toBe(true)
      const { items } = await store.admin.messages.list({ limit: 100 })
      expect(items.map(({ payload }) => payload as number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 30 }, (_, n) => n),
      )
    })

    it('tells which batch may or may not be committed when the line goes down for good', async () => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver, connectionTimeout: '150ms' })
      const producer = store.producer(queue)
      await producer.enqueueMany([-1])
      let sent = 0
      const { source } = numbers(30, async (n) => {
        // The first two batches are committed before the line is touched.
        if (n === 20) {
          await eventually('two batches', () => sent === 20)
          line.loseAndGoDown('enqueue', 'answer')
        }
        return n
      })
      const onProgress = ({ enqueued }: EnqueueProgress): void => {
        sent = enqueued
      }
      const error = await failureOf(producer.enqueueMany(source, { batch: 10, onProgress }))
      expect(error).toMatchObject({
        enqueued: 20,
        committed: [{ from: 0, to: 20 }],
        uncertain: [{ from: 20, to: 30 }],
        retryable: true,
      })
      expect(error.cause).toMatchObject({ code: 'AMBIGUOUS_COMMIT' })
    })

    it('waits for the rate limit instead of failing', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer(queue, { rateLimit: { perSecond: 10 } })
      const begun = clock.databaseNow()
      const streaming = producer.enqueueMany(numbers(35).source, { batch: 10 })
      expect(await untilSettled(clock, 'the stream', streaming, 50)).toBe(35)
      expect(clock.databaseNow() - begun).toBeGreaterThanOrEqual(2500)
    })

    it('tells what is committed when the store closes in the middle of it', async () => {
      const store = await bench.open()
      const { source } = numbers(100_000, async (n) => {
        if (n === 500) void store.close()
        if (n >= 500) await new Promise((resolve) => setImmediate(resolve))
        return n
      })
      const error = await failureOf(store.producer(queue).enqueueMany(source, { batch: 10 }))
      expect(error.cause).toMatchObject({ code: 'CLOSED' })
      if (!target.capabilities.shared) return
      const { ready } = await (await bench.open()).admin.metrics('streamed')
      expect(ready).toBe(error.enqueued)
    })
  })
}
