import { describe, expect, it } from 'vitest'
import { defineQueue, InvalidStateError, type WorkerEvent } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { Gate } from '../gate.js'
import { intercept } from '../intercept.js'
import type { Target } from '../target.js'

/** How a worker ends, and what becomes of what it holds. */
export function stopping(target: Target): void {
  describe('stop', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('stopped')

    it('lets running handlers finish within the grace, and claims nothing more', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany([1, 2, 3])
      const gate = new Gate()
      const aborted: unknown[] = []
      const handler = queue.handler(async (_, { signal }) => {
        signal.addEventListener('abort', () => aborted.push(signal.reason))
        await gate.passed
        return 'finished'
      })
      const worker = store.worker([handler], { concurrency: 2 })
      await worker.start()
      await eventually('two to run', () => worker.active === 2)
      const stopped = worker.stop({ grace: '20s' })
      gate.open()
      await stopped
      expect(await worker.stopped).toBe('stopped')
      expect(aborted).toEqual([])
      expect(await store.admin.metrics('stopped')).toMatchObject({ archived: 2, ready: 1, leased: 0 })
      expect(await store.admin.workers.get(worker.id)).toMatchObject({ status: 'stopped', held: 0 })
    })

    it('aborts the signal after the grace and gives the message back at no attempt’s cost', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const events: WorkerEvent[] = []
      const handler = queue.handler(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error))
          }),
      )
      const worker = store.worker([handler], { onEvent: (event) => events.push(event) })
      await worker.start()
      await eventually('it to run', () => worker.active === 1)
      await worker.stop({ grace: 0 })
      expect(events.at(-1)).toMatchObject({ type: 'released', id, reason: 'stop' })
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'queued', failures: 0, crashes: 0 })
      const [again] = await store.consumer(queue).dequeue()
      expect(again).toMatchObject({ id, attempt: 1, crashes: 0 })
    })

    it('takes the message from a handler that does not listen, whose late result then changes nothing', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const gate = new Gate()
      const events: WorkerEvent[] = []
      const deaf = queue.handler(async () => {
        await gate.passed
        return 'too late'
      })
      const worker = store.worker([deaf], { onEvent: (event) => events.push(event) })
      await worker.start()
      await eventually('it to run', () => worker.active === 1)
      await worker.stop({ grace: 0 })
      const [again] = await store.consumer(queue).dequeue()
      expect(again).toMatchObject({ id, attempt: 1, crashes: 0 })
      gate.open()
      await eventually('the deaf one to learn of it', () =>
        events.some((event) => event.type === 'lease_lost'),
      )
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'running', output: undefined })
      await again?.archive('in time')
    })

    it('keeps what a handler returns after its signal has aborted', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const handler = queue.handler(
        (_, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => resolve('just in time'))
          }),
      )
      const worker = store.worker([handler])
      await worker.start()
      await eventually('it to run', () => worker.active === 1)
      await worker.stop({ grace: 0 })
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', output: 'just in time' })
    })

    it('gives back what a claim under way brings while it stops: nothing begins any more', async () => {
      const gate = new Gate()
      let claiming = false
      const wrapDriver = intercept(async (statements, next) => {
        const rows = await next(statements)
        if (statements.some((statement) => transitionOf(statement) === 'claim') && rows.flat().length > 0) {
          claiming = true
          await gate.passed
        }
        return rows
      })
      const store = await bench.open({ wrapDriver })
      const ids = await store.producer(queue).enqueueMany([1, 2, 3])
      const begun: number[] = []
      const worker = store.worker([queue.handler(({ payload }) => void begun.push(payload))])
      await worker.start()
      await eventually('the claim to be under way', () => claiming)
      const stopped = worker.stop()
      gate.open()
      await stopped
      expect(begun).toEqual([])
      for (const id of ids) {
        expect(await store.admin.messages.get(id)).toMatchObject({
          status: 'queued',
          failures: 0,
          crashes: 0,
        })
      }
      const again = await store.consumer(queue).dequeue()
      expect(again.map(({ crashes }) => crashes)).toEqual([0, 0, 0])
    })

    it('lets a handler that is finishing enqueue what follows', async () => {
      const store = await bench.open()
      const follow = defineQueue<string>('follow')
      await store.producer(queue).enqueue(1)
      const gate = new Gate()
      const handler = queue.handler(async () => {
        await gate.passed
        await store.producer(follow).enqueue('next')
      })
      const worker = store.worker([handler])
      await worker.start()
      await eventually('it to run', () => worker.active === 1)
      const closed = store.close()
      gate.open()
      await closed
      const later = await bench.open()
      expect(await later.admin.metrics('stopped')).toMatchObject({ archived: 1 })
      expect(await later.admin.metrics('follow')).toMatchObject({ ready: 1 })
    })

    it('may be called twice, before the start and after the end', async () => {
      const store = await bench.open()
      const worker = store.worker([queue.handler(() => undefined)])
      await worker.start()
      await Promise.all([worker.stop(), worker.stop()])
      await worker.stop()
      await expect(worker.start()).rejects.toThrow(InvalidStateError)
      const never = store.worker([queue.handler(() => undefined)])
      await never.stop()
      await expect(never.start()).rejects.toThrow(InvalidStateError)
    })
  })
}
