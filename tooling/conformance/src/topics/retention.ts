import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, type Store, type WorkerOptions } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { intercept } from '../intercept.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

const HOUR_MS = 3_600_000

/** Workers remove what finished long ago, when they are told to. */
export function retention(target: Target): void {
  describe('retention', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('kept')
    const handler = queue.handler(() => undefined)

    /** Finishes messages now; the consumer's heartbeat does not go on. */
    async function finish(
      store: Store,
      how: { archived?: number; dead?: number; cancelled?: number },
    ): Promise<void> {
      const { archived = 0, dead = 0, cancelled = 0 } = how
      const total = archived + dead + cancelled
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany(Array.from({ length: total }, (_, n) => n))
      const messages = await hands.dequeue({ limit: Math.max(1, total) })
      await hands.archiveMany(messages.slice(0, archived))
      await hands.failMany(messages.slice(archived, archived + dead), new Error('no'))
      for (const message of messages.slice(archived + dead)) {
        await message.release()
        await store.admin.messages.cancel(message.id)
      }
      await hands.close()
    }

    const counts = async (store: Store): Promise<{ archived: number; dead: number }> => {
      const { archived, dead } = await store.admin.metrics('kept')
      return { archived, dead }
    }

    it('is off unless it is asked for', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      await finish(store, { archived: 3, dead: 2 })
      await clock.advance(1000 * 24 * HOUR_MS)
      await store.worker([handler]).start()
      const id = await store.producer(queue).enqueue(1)
      await passTime(
        clock,
        'a round of work',
        async () => (await store.admin.messages.get(id)).status === 'success',
      )
      expect(await counts(store)).toEqual({ archived: 4, dead: 2 })
    })

    const wanted: [string, WorkerOptions['retention'], { archived: number; dead: number }][] = [
      ['archived', { archived: '1h' }, { archived: 1, dead: 3 }],
      ['dead', { dead: '1h' }, { archived: 4, dead: 1 }],
      ['both', { archived: '1h', dead: '1h' }, { archived: 1, dead: 1 }],
      ['both, each after its time', { archived: '1h', dead: '3h' }, { archived: 1, dead: 3 }],
    ]
    it.each(wanted)('removes what is older, and nothing else: %s', async (_, options, left) => {
      const clock = new TestClock()
      const store = await bench.open({ clock, pollInterval: '10s' })
      await finish(store, { archived: 2, cancelled: 1, dead: 2 })
      await clock.advance(2 * HOUR_MS)
      await finish(store, { archived: 1, dead: 1 })
      await store.worker([handler], { retention: options! }).start()
      await passTime(clock, 'the old ones to go', async () => {
        const now = await counts(store)
        return now.archived === left.archived && now.dead === left.dead
      })
      // One more round of the worker, which comes once a minute.
      await clock.advance(61_000)
      expect(await counts(store)).toEqual(left)
    })

    it('never removes what has not finished, however old', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer(queue)
      const hands = store.consumer(queue)
      await producer.enqueue(1)
      await hands.dequeue({ lease: '100d' })
      await hands.close()
      await producer.enqueue(2, { delay: '100d' })
      const flow = defineWorkflow('kept-flow', (run, _: number) => run.sleep('long', '100d'))
      const handle = await store.trigger(flow, 1)
      const passing = await bench.open({ clock })
      await passing.worker([flow]).start()
      await passTime(clock, 'the run to wait', async () => (await handle.status()) === 'paused')
      await passing.close()
      await finish(store, { archived: 1, dead: 1 })
      await clock.advance(24 * HOUR_MS)
      await store.worker([handler, flow], { retention: { archived: 0, dead: 0 } }).start()
      await passTime(clock, 'the finished to go', async () => {
        const { archived, dead } = await counts(store)
        return archived + dead === 0
      })
      expect(await store.admin.metrics('kept')).toMatchObject({ leased: 1, delayed: 1 })
      expect(await handle.status()).toBe('paused')
    })

    it('works in bounded batches until all is gone', async () => {
      const clock = new TestClock()
      const sizes: number[] = []
      const wrapDriver = intercept(async (statements, next) => {
        const rows = await next(statements)
        statements.forEach(({ sql }, i) => {
          if (/delete from \S*pgqrs_messages/.test(sql)) sizes.push(rows[i]!.length)
        })
        return rows
      })
      const store = await bench.open({ clock, wrapDriver })
      await finish(store, { archived: 1300 })
      await clock.advance(HOUR_MS)
      await store.worker([handler], { retention: { archived: '1m' } }).start()
      await passTime(clock, 'all to go', async () => (await counts(store)).archived === 0)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1000)
      expect(sizes.reduce((a, b) => a + b, 0)).toBe(1300)
    })

    it('takes the checkpoints of the runs it removes', async () => {
      const store = await bench.open()
      const flow = defineWorkflow('gone', async (run, n: number) => {
        await run.step('first', () => n)
        return run.step('second', () => n)
      })
      const steps = async (): Promise<number> =>
        Number((await bench.db.query('select count(*) as n from pgqrs_steps'))[0]?.['n'])
      const first = store.worker([flow])
      await first.start()
      for (let n = 0; n < 3; n++) await (await store.trigger(flow, n)).result({ timeout: '20s' })
      await first.stop()
      expect(await steps()).toBe(6)
      await store.worker([flow], { retention: { archived: 0 } }).start()
      await eventually('the runs to go', async () => (await store.admin.metrics('gone')).archived === 0)
      expect(await steps()).toBe(0)
    })
  })
}
