import { describe, expect, it } from 'vitest'
import { defineQueue, TerminalError, type Store, type WorkerEvent } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { CutLine } from '../cut-line.js'
import { Gate } from '../gate.js'
import { LossyLine } from '../lossy-line.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Queues that do not keep what has succeeded. */
export function keep(target: Target): void {
  describe('a queue that keeps nothing', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('passing', { keep: false })

    const everything = async (store: Store): Promise<unknown[]> => [
      ...(await store.admin.messages.list({ limit: 100 })).items,
    ]

    /** The kinds of events of a worker that handles what is there, once there are so many ends. */
    async function work(
      store: Store,
      handle: (n: number, signal: AbortSignal) => unknown,
      ends: number,
    ): Promise<readonly WorkerEvent['type'][]> {
      const types: WorkerEvent['type'][] = []
      const worker = store.worker([queue.handler((message, { signal }) => handle(message.payload, signal))], {
        onEvent: ({ type }) => types.push(type),
      })
      await worker.start()
      const over: readonly WorkerEvent['type'][] = ['archived', 'deleted', 'cancelled', 'dead', 'lease_lost']
      await eventually('all to end', () => types.filter((type) => over.includes(type)).length === ends)
      await worker.stop()
      return types.filter((type) => type !== 'claimed' && type !== 'hints')
    }

    it('deletes what has succeeded, and what its handler returned with it', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany([1, 2, 3])
      expect(await work(store, (n) => ({ n }), 3)).toEqual(['deleted', 'deleted', 'deleted'])
      expect(await everything(store)).toEqual([])
      expect(await store.admin.metrics('passing')).toMatchObject({
        archived: 0,
        dead: 0,
        ready: 0,
        leased: 0,
      })
    })

    it('frees the key of a message with it', async () => {
      const store = await bench.open()
      const first = await store.producer(queue).enqueue(1, { key: 'k' })
      await work(store, () => undefined, 1)
      expect(await store.producer(queue).enqueue(2, { key: 'k' })).not.toBe(first)
    })

    it('keeps its dead letters', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const refuse = (): never => {
        throw new TerminalError('no')
      }
      expect(await work(store, refuse, 1)).toEqual(['dead'])
      expect((await store.admin.dead.list({ queue: 'passing' })).items).toMatchObject([{ id }])
    })

    it('keeps what was cancelled while its handler ran, whatever came out', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue(1)
      const gate = new Gate()
      const started = new Gate()
      const working = work(
        store,
        async () => {
          started.open()
          await gate.passed
        },
        1,
      )
      await started.passed
      await store.admin.messages.cancel(id, 'not wanted')
      gate.open()
      expect(await working).toEqual(['cancelled'])
      expect(await store.admin.messages.get(id)).toMatchObject({
        status: 'cancelled',
        error: { message: 'not wanted' },
      })
    })

    it('deletes nothing when the lease was lost', async () => {
      const clock = new TestClock()
      const line = new CutLine()
      const store = await bench.open({ clock, wrapDriver: line.wrapDriver })
      const id = await store.producer(queue).enqueue(1)
      const gate = new Gate()
      let aborted = false
      const working = work(
        store,
        async (_, signal) => {
          signal.addEventListener('abort', () => (aborted = true))
          line.cut()
          await gate.passed
        },
        1,
      )
      await passTime(clock, 'the signal to abort', () => aborted, 5000)
      const other = await bench.open({ clock })
      const [again] = await other.consumer(queue).dequeue()
      expect(again).toMatchObject({ id, crashes: 1 })
      line.mend()
      gate.open()
      expect(await working).toContain('lease_lost')
      expect(await other.admin.messages.get(id)).toMatchObject({ status: 'running' })
    })

    it('can be told so by a handler alone, and the other way round', async () => {
      const store = await bench.open()
      const kept = defineQueue<number>('kept')
      await store.producer(kept).enqueue(1)
      const id = await store.producer(queue).enqueue(1)
      const nothing = (): undefined => undefined
      const handlers = [kept.handler(nothing, { keep: false }), queue.handler(nothing, { keep: true })]
      await store.worker(handlers).start()
      await eventually('both to end', async () =>
        (await store.admin.messages.list({ limit: 10 })).items.every(({ status }) => status === 'success'),
      )
      expect(await everything(store)).toMatchObject([{ id, status: 'success' }])
    })

    it.for(['request', 'answer'] as const)('deletes once when the %s is lost', async (loss) => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      await store.producer(queue).enqueue(1)
      line.lose('delete', loss)
      expect(await work(store, () => undefined, 1)).toEqual(['deleted'])
      expect(line.lost).toBe(true)
      expect(await everything(store)).toEqual([])
    })
  })
}
