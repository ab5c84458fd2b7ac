import { describe, expect, it } from 'vitest'
import { defineQueue, type Store } from '@pgqrs/core'
import { systemRandom } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { HintOnlyClock } from '../hint-only-clock.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** How a worker that waits learns that there is work: by a hint or by the time the next message is due, not by a poll. */
export function wake(target: Target): void {
  describe('wake-up', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('calls')

    const open = (clock: HintOnlyClock): Promise<Store> => bench.open({ clock, pollInterval: '1h' })

    /** A worker that is fast asleep: it polls no more, only a hint wakes it. */
    async function asleep(clock: HintOnlyClock, store: Store): Promise<number[]> {
      const seen: number[] = []
      await store.worker([queue.handler(({ payload }) => void seen.push(payload))]).start()
      await eventually('the worker to sleep', () => clock.asleep)
      return seen
    }

    /** What is there before the worker, and then what wakes it. */
    const causes: Record<string, (store: Store) => Promise<() => Promise<unknown>>> = {
      'a message': (store) => Promise.resolve(() => store.producer(queue).enqueue(7)),
      'a batch': (store) => Promise.resolve(() => store.producer(queue).enqueueMany([7])),
      'a replacement that is due earlier': async (store) => {
        await store.producer(queue).enqueue(1, { key: 'k', delay: '1h' })
        return () => store.producer(queue).enqueue(7, { key: 'k', onConflict: 'replace' })
      },
      'the resumption of the queue': async (store) => {
        await store.producer(queue).enqueue(7)
        await store.admin.queues.pause('calls')
        return () => store.admin.queues.resume('calls')
      },
      'a message given back': async (store) => {
        await store.producer(queue).enqueue(7)
        const [message] = await store.consumer(queue).dequeue()
        return () => message!.release()
      },
      'a replay': async (store) => {
        const id = await store.producer(queue).enqueue(7)
        const [message] = await store.consumer(queue).dequeue()
        await message!.fail('no')
        return () => store.admin.dead.replay(id)
      },
      'what a worker held that was shut down': async (store) => {
        await store.producer(queue).enqueue(7)
        const hands = store.consumer(queue)
        await hands.dequeue()
        await store.admin.workers.suspend(hands.workerId)
        return () => store.admin.workers.shutdown(hands.workerId, { release: true })
      },
    }
    it.each(Object.keys(causes))('reaches a worker of the same store at once: %s', async (name) => {
      const clock = new HintOnlyClock()
      const store = await open(clock)
      const act = await causes[name]!(store)
      const seen = await asleep(clock, store)
      expect(seen).toEqual([])
      await act()
      await eventually('the work to be done', () => seen.includes(7))
    })

    it('reaches a worker of another store without a poll', async ({ skip }) => {
      const { wake: means } = target.capabilities
      skip(means === 'none', 'nothing tells of the changes of others: they are found by polling alone')
      const clock = new HintOnlyClock()
      const seen = await asleep(clock, await open(clock))
      const other = await bench.open()
      await other.producer(queue).enqueue(1)
      await eventually('the work to be done', () => seen.length === 1)
      await eventually('the worker to sleep', () => clock.asleep)
      await other.producer(queue).enqueueMany([2, 3])
      await eventually('more work to be done', () => seen.length === 3)
    })

    it('reaches a worker of another store after the commit of the application’s transaction', async ({
      skip,
    }) => {
      const { wake: means } = target.capabilities
      skip(
        means !== 'watch',
        'hints are not part of the application’s transaction: its messages are found by polling',
      )
      const clock = new HintOnlyClock()
      const seen = await asleep(clock, await open(clock))
      const other = await bench.open()
      await bench.db.inTransaction(async (tx) => {
        await other.producer(queue).enqueue(1, { tx })
      })
      await eventually('the work to be done', () => seen.length === 1)
    })

    it('is found by polling where no hint arrives', async () => {
      const store = await bench.open({ pollInterval: '50ms' })
      const seen: number[] = []
      await store.worker([queue.handler(({ payload }) => void seen.push(payload))]).start()
      await bench.db.inTransaction(async (tx) => {
        await store.producer(queue).enqueue(1, { tx })
      })
      await eventually('the work to be done', () => seen.length === 1)
    })

    it('comes with the time a delayed message is due, not with a poll', async () => {
      const clock = new TestClock()
      // Without jitter the polls of an idle worker come after 20 ms · (2ⁿ - 1): at 655 s, and then at 1,310 s.
      const random = { ...systemRandom, fraction: () => 0.5 }
      const store = await bench.open({ clock, random, pollInterval: '1h' })
      const begun: number[] = []
      await store.worker([queue.handler(() => void begun.push(clock.monotonic()))]).start()
      const due = clock.monotonic() + 700_000
      await store.producer(queue).enqueue(1, { delay: 700_000 })
      await passTime(clock, 'the work to be done', () => begun.length > 0, 10_000)
      expect(begun[0]).toBeGreaterThanOrEqual(due)
      expect(begun[0]).toBeLessThan(due + 300_000)
    })
  })
}
