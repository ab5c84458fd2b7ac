import { describe, expect, it } from 'vitest'
import { defineQueue, TerminalError, type WorkerEvent } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Gate } from '../gate.js'
import { CutLine } from '../cut-line.js'
import { intercept } from '../intercept.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Workers that run the handlers of queues. */
export function handlers(target: Target): void {
  describe('handler', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('work')
    const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

    it('gets the message, and what it returns is the output', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(20, { key: 'k', priority: 3 })
      const seen: unknown[] = []
      const handler = queue.handler((message, { signal }) => {
        const { key, priority, attempt, crashes } = message
        seen.push({
          id: message.id,
          queue: message.queue,
          key,
          priority,
          attempt,
          crashes,
          aborted: signal.aborted,
        })
        return { doubled: message.payload * 2 }
      })
      await store.worker([handler]).start()
      const done = await eventually('the message to be archived', async () => {
        const info = await store.admin.messages.get(id)
        return info.status === 'success' ? info : undefined
      })
      expect(done.output).toEqual({ doubled: 40 })
      expect(seen).toEqual([
        { id, queue: 'work', key: 'k', priority: 3, attempt: 1, crashes: 0, aborted: false },
      ])
    })

    it('runs as many at once as the worker is told to, and never more', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany(numbers(30))
      let active = 0
      let most = 0
      const gate = new Gate()
      const handler = queue.handler(async () => {
        most = Math.max(most, ++active)
        await gate.passed
        await Promise.resolve()
        active--
      })
      const worker = store.worker([handler], { concurrency: 4 })
      await worker.start()
      await eventually('four to run', () => active === 4)
      expect(worker.active).toBe(4)
      expect(await store.admin.metrics('work')).toMatchObject({ leased: 4, ready: 26 })
      gate.open()
      await eventually('all to finish', async () => (await store.admin.metrics('work')).archived === 30)
      expect(most).toBe(4)
    })

    it('keeps the lease for as long as it runs', async () => {
      const store = await bench.open({ heartbeatInterval: '20ms', lease: '5s' })
      const id = await store.producer(queue).enqueue(1)
      const gate = new Gate()
      await store.worker([queue.handler(() => gate.passed)]).start()
      const ends = new Set<number>()
      await eventually('the lease to be prolonged again and again', async () => {
        const { status, visibleAt } = await store.admin.messages.get(id)
        if (status === 'running') ends.add(visibleAt.getTime())
        return ends.size >= 4
      })
      gate.open()
      await eventually('the end', async () => (await store.admin.messages.get(id)).status === 'success')
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 1, crashes: 0 })
    })

    it('is told when its lease is lost, and its late result changes nothing', async () => {
      const clock = new TestClock()
      const line = new CutLine()
      const store = await bench.open({ clock, wrapDriver: line.wrapDriver })
      const id = await store.producer(queue).enqueue(1)
      const events: WorkerEvent[] = []
      const reasons: unknown[] = []
      const gate = new Gate()
      const handler = queue.handler(async (_, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason))
        await gate.passed
        return 'from a zombie'
      })
      await store.worker([handler], { onEvent: (event) => events.push(event) }).start()
      await eventually('the claim', () => events.some((event) => event.type === 'claimed'))
      line.cut()
      await passTime(clock, 'the signal to abort', () => reasons.length > 0, 5000)
      expect(reasons).toMatchObject([{ code: 'LEASE_LOST' }])

      const other = await bench.open({ clock })
      const [again] = await other.consumer(queue).dequeue()
      expect(again).toMatchObject({ id, crashes: 1 })
      line.mend()
      gate.open()
      await eventually('the worker to notice', () => events.some((event) => event.type === 'lease_lost'))
      expect(await other.admin.messages.get(id)).toMatchObject({ status: 'running', output: undefined })
      await again?.archive('from the holder')
      expect(await other.admin.messages.get(id)).toMatchObject({ output: 'from the holder' })
    })

    it('has its signal aborted when somebody cancels the message', async () => {
      const store = await bench.open({ heartbeatInterval: '20ms' })
      const other = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const started = new Gate()
      const handler = queue.handler(async (_, { signal }) => {
        started.open()
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        })
      })
      await store.worker([handler]).start()
      await started.passed
      await other.admin.messages.cancel(id, 'not wanted')
      await eventually('the end', async () => (await other.admin.messages.get(id)).status === 'cancelled')
      expect(await other.admin.messages.get(id)).toMatchObject({
        failures: 0,
        error: { message: 'not wanted' },
      })
    })

    it('does not stop others by throwing', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany(numbers(20))
      const handler = queue.handler((message) => {
        if (message.payload % 5 === 0) throw new TerminalError(`${message.payload} is poison`)
      })
      await store.worker([handler], { concurrency: 3 }).start()
      await eventually('all to finish', async () => {
        const { archived, dead } = await store.admin.metrics('work')
        return archived === 16 && dead === 4
      })
    })

    it('works on several queues, and a busy one does not starve another', async () => {
      const store = await bench.open()
      const [busy, quiet] = [defineQueue<number>('busy'), defineQueue<number>('quiet')]
      await store.producer(busy).enqueueMany(numbers(4000))
      await store.producer(quiet).enqueueMany(numbers(3))
      const order: string[] = []
      const note = (message: { queue: string }): void => void order.push(message.queue)
      await store.worker([busy.handler(note), quiet.handler(note)], { concurrency: 1 }).start()
      await eventually('all to finish', () => order.length === 4003)
      // At most one claim of the busy one, which is a thousand messages, comes first.
      expect(order.lastIndexOf('quiet')).toBeLessThan(2100)
    })

    it('does not let a busy queue starve one whose messages have several priorities', async () => {
      const store = await bench.open()
      const [busy, mixed] = [defineQueue<number>('busy'), defineQueue<number>('mixed')]
      await store.producer(busy).enqueueMany(numbers(4000))
      await store.producer(mixed).enqueue(0, { priority: 5, delay: '1h' })
      await store.producer(mixed).enqueueMany(numbers(3))
      const order: string[] = []
      const note = (message: { queue: string }): void => void order.push(message.queue)
      await store.worker([busy.handler(note), mixed.handler(note)], { concurrency: 1 }).start()
      await eventually('all that is due to finish', () => order.length === 4003)
      expect(order.lastIndexOf('mixed')).toBeLessThan(2100)
    })

    it('gives back what it has claimed ahead when a handler takes long', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany(numbers(2000))
      const gate = new Gate()
      const seen: number[] = []
      const handler = queue.handler(async ({ payload, attempt, crashes }) => {
        expect({ attempt, crashes }).toEqual({ attempt: 1, crashes: 0 })
        seen.push(payload)
        if (seen.length === 1000) await gate.passed
      })
      await store.worker([handler], { concurrency: 1 }).start()
      await eventually('the slow one alone to be held', async () => {
        const { leased, ready, archived } = await store.admin.metrics('work')
        return leased === 1 && ready === 1000 && archived === 999
      })
      gate.open()
      await eventually('all to finish', async () => (await store.admin.metrics('work')).archived === 2000)
      // Each once, and what was given back in the place it had.
      expect(seen).toEqual(numbers(2000))
    })

    it('leaves alone what the worker has no handler for', async () => {
      const store = await bench.open()
      await store.producer<number>('foreign').enqueueMany(numbers(3))
      await store.producer(queue).enqueueMany(numbers(3))
      await store.worker([queue.handler(() => undefined)]).start()
      await eventually('its own work', async () => (await store.admin.metrics('work')).archived === 3)
      expect(await store.admin.metrics('foreign')).toMatchObject({ ready: 3, leased: 0 })
    })

    it('goes on when the one who listens to events throws', async () => {
      const store = await bench.open()
      const onEvent = (): never => {
        throw new Error('a broken logger')
      }
      await store.worker([queue.handler(() => undefined)], { onEvent }).start()
      await store.producer(queue).enqueueMany(numbers(5))
      await eventually('the work', async () => (await store.admin.metrics('work')).archived === 5)
    })

    it('works on after the database has refused the worker a few times', async () => {
      let failures = 0
      const wrapDriver = intercept(async (statements, next) => {
        if (failures > 0) {
          failures--
          throw new Error('out of order')
        }
        return next(statements)
      })
      const store = await bench.open({ wrapDriver })
      const other = await bench.open()
      const troubles: unknown[] = []
      const onEvent = (event: WorkerEvent): void => {
        if (event.type === 'trouble') troubles.push(event.error)
      }
      await store.worker([queue.handler(() => undefined)], { onEvent }).start()
      failures = 4
      await eventually('trouble', () => failures === 0)
      expect(troubles.length).toBeGreaterThan(0)
      expect(troubles[0]).toMatchObject({ code: 'DATABASE_ERROR', cause: { message: 'out of order' } })
      await other.producer(queue).enqueueMany(numbers(5))
      await eventually('the work', async () => (await other.admin.metrics('work')).archived === 5)
    })
  })
}
