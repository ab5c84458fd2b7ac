import { describe, expect, it } from 'vitest'
import {
  defineQueue,
  InvalidStateError,
  KeyConflictError,
  NotFoundError,
  TerminalError,
  type MessageOptions,
  type Store,
} from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Dead letters: kept with their error, listed, replayed. */
export function deadLetters(target: Target): void {
  describe('dead letter', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('letters')

    /** Enqueues a message and fails it. */
    async function bury(store: Store, n: number, options: MessageOptions = {}): Promise<string> {
      const id = await store.producer(queue).enqueue(n, options)
      const [message] = await store.consumer(queue).dequeue()
      await message?.fail(new TypeError(`number ${n} is wrong`))
      return id
    }

    it('is kept with its payload and its error, and shown', async () => {
      const store = await bench.open()
      const id = await bury(store, 7, { key: 'k', priority: 2 })
      const dead = await store.admin.dead.get(id)
      expect(dead).toMatchObject({ id, queue: 'letters', status: 'error', payload: 7, key: 'k', priority: 2 })
      expect(dead.error).toBeInstanceOf(TypeError)
      expect(dead.error).toMatchObject({ message: 'number 7 is wrong' })
      expect(dead.finishedAt).toBeInstanceOf(Date)
    })

    it('is listed newest first, page by page, for one queue or all', async () => {
      const store = await bench.open()
      const ids = []
      for (let n = 0; n < 5; n++) ids.push(await bury(store, n))
      await store.producer(queue).enqueue(99)
      const other = store.producer<number>('others')
      await other.enqueue(1)
      const [foreign] = await store.consumer<number>('others').dequeue()
      await foreign?.fail('no')

      const listed = []
      let cursor: string | undefined
      do {
        const page = await store.admin.dead.list({
          queue: 'letters',
          limit: 2,
          ...(cursor === undefined ? {} : { cursor }),
        })
        expect(page.items.length).toBeLessThanOrEqual(2)
        listed.push(...page.items.map((item) => item.id))
        cursor = page.next
      } while (cursor !== undefined)
      expect(listed).toEqual(ids.reverse())
      expect((await store.admin.dead.list()).items).toHaveLength(6)
    })

    it('goes back into its queue with a clean slate', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const id = await store.producer(queue).enqueue(1, { priority: 3 })
      const hands = store.consumer(queue)
      await hands.dequeue({ limit: 1, lease: '1s' })
      await clock.advance(1000)
      const [message] = await hands.dequeue()
      expect(message).toMatchObject({ crashes: 1 })
      await message?.fail(new Error('no'))
      await store.admin.dead.replay(id)
      expect(await store.admin.messages.get(id)).toMatchObject({
        status: 'queued',
        failures: 0,
        crashes: 0,
        error: undefined,
        finishedAt: undefined,
        workerId: undefined,
        priority: 3,
      })
      const [again] = await hands.dequeue()
      expect(again).toMatchObject({ id, payload: 1, attempt: 1, crashes: 0 })
    })

    it('is worked on after its replay without waiting', async () => {
      const store = await bench.open({ pollInterval: '1h' })
      let broken = true
      const handler = queue.handler(() => {
        if (broken) throw new TerminalError('not today')
      })
      const id = await store.producer(queue).enqueue(1)
      await store.worker([handler]).start()
      await eventually('death', async () => (await store.admin.messages.get(id)).status === 'error')
      broken = false
      await store.admin.dead.replay(id)
      await eventually('success', async () => (await store.admin.messages.get(id)).status === 'success')
    })

    it('is the only thing that can be replayed', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const succeeded = await producer.enqueue(1)
      const [message] = await store.consumer(queue).dequeue()
      await message?.archive('the only output')
      const cancelled = await producer.enqueue(2)
      await store.admin.messages.cancel(cancelled)
      const running = await producer.enqueue(3)
      await store.consumer(queue).dequeue()
      const queued = await producer.enqueue(4)
      for (const id of [succeeded, cancelled, running, queued]) {
        const before = await store.admin.messages.get(id)
        await expect(store.admin.dead.replay(id)).rejects.toThrow(InvalidStateError)
        await expect(store.admin.dead.get(id)).rejects.toThrow(InvalidStateError)
        expect(await store.admin.messages.get(id)).toEqual(before)
      }
      const unknown = succeeded.replace(/.{12}$/, '000000000000')
      await expect(store.admin.dead.replay(unknown)).rejects.toThrow(NotFoundError)
      await expect(store.admin.dead.get('no id at all')).rejects.toThrow(NotFoundError)
    })

    it('is replayed once by many who try at the same time', async () => {
      const store = await bench.open()
      const id = await bury(store, 1)
      const stores = [store, await bench.open()]
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, i) => stores[i % 2]!.admin.dead.replay(id)),
      )
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1)
      expect(await store.admin.metrics('letters')).toMatchObject({ ready: 1, dead: 0 })
    })

    it('cannot come back while another message has its key', async () => {
      const store = await bench.open()
      const id = await bury(store, 1, { key: 'k' })
      const taken = await store.producer(queue).enqueue(2, { key: 'k' })
      const replay = store.admin.dead.replay(id)
      await expect(replay).rejects.toThrow(KeyConflictError)
      await expect(replay).rejects.toMatchObject({ key: 'k', id: taken })
      expect(await store.admin.dead.get(id)).toMatchObject({ payload: 1, failures: 1 })
      const [message] = await store.consumer(queue).dequeue()
      await message?.archive()
      await store.admin.dead.replay(id)
      expect(await store.admin.metrics('letters')).toMatchObject({ ready: 1, dead: 0 })
    })

    it('comes back with all others of its queue', async () => {
      const store = await bench.open()
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany(Array.from({ length: 230 }, (_, n) => n))
      await hands.failMany(await hands.dequeue({ limit: 230 }), new Error('no'))
      await store.producer<number>('others').enqueue(1)
      const [foreign] = await store.consumer<number>('others').dequeue()
      await foreign?.fail('no')
      expect(await store.admin.dead.replayAll('letters')).toBe(230)
      expect(await store.admin.dead.replayAll('letters')).toBe(0)
      expect(await store.admin.metrics('letters')).toMatchObject({ ready: 230, dead: 0 })
      expect(await store.admin.metrics('others')).toMatchObject({ dead: 1 })
      await expect(store.admin.dead.replayAll('leters')).rejects.toThrow(/letters/)
    })

    it('is replayed once, though it fails again while the others are replayed', async () => {
      const store = await bench.open()
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany(Array.from({ length: 130 }, (_, n) => n))
      await hands.failMany(await hands.dequeue({ limit: 130 }), new Error('no'))
      const attempts: number[] = []
      const worker = store.worker(
        [
          queue.handler(
            ({ payload }) => {
              attempts.push(payload)
              throw new Error('no again')
            },
            { retry: { maxAttempts: 1 } },
          ),
        ],
        { concurrency: 50 },
      )
      await worker.start()
      expect(await store.admin.dead.replayAll('letters')).toBe(130)
      await eventually(
        'all to be dead again',
        async () => (await store.admin.metrics('letters')).dead === 130,
      )
      expect(attempts.sort((a, b) => a - b)).toEqual(Array.from({ length: 130 }, (_, n) => n))
    })

    it('is counted by one of two who replay them all at the same time', async () => {
      const store = await bench.open()
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany(Array.from({ length: 120 }, (_, n) => n))
      await hands.failMany(await hands.dequeue({ limit: 120 }), new Error('no'))
      const other = await bench.open()
      const [mine, theirs] = await Promise.all([
        store.admin.dead.replayAll('letters'),
        other.admin.dead.replayAll('letters'),
      ])
      expect(mine + theirs).toBe(120)
      expect(await store.admin.metrics('letters')).toMatchObject({ ready: 120, dead: 0 })
    })

    it('stays dead when all are replayed and its key is taken', async () => {
      const store = await bench.open()
      const first = await bury(store, 1, { key: 'k' })
      const second = await bury(store, 2, { key: 'k' })
      await bury(store, 3)
      expect(await store.admin.dead.replayAll('letters')).toBe(2)
      expect(await store.admin.messages.get(second)).toMatchObject({ status: 'queued' })
      expect(await store.admin.messages.get(first)).toMatchObject({ status: 'error' })
    })
  })
}
