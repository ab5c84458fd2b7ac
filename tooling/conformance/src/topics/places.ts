import { describe, expect, it } from 'vitest'
import { defineQueue, type Store } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Gate } from '../gate.js'
import type { Target } from '../target.js'

const SLOTS = 200
const BACKLOG = 3 * SLOTS

/** Workers that have filled up from one lane of a queue and go on behind what they got. */
export function places(target: Target): void {
  describe('a worker that goes on where it was in a lane', () => {
    const bench = useBench(target)
    const queue = defineQueue<string>('lane')

    /** A worker whose first messages, as many as it has slots, wait at a gate, and what was handled in which order. */
    async function halfWay(clock: TestClock): Promise<{ store: Store; gate: Gate; order: string[] }> {
      const store = await bench.open({ clock })
      await store.producer(queue).enqueueMany(Array.from({ length: BACKLOG }, () => 'backlog'))
      const gate = new Gate()
      const order: string[] = []
      const handler = queue.handler(async ({ payload }) => {
        order.push(payload)
        await gate.passed
      })
      await store.worker([handler], { concurrency: SLOTS }).start()
      await eventually('the first to begin', () => order.length === SLOTS)
      return { store, gate, order }
    }

    it('finds the other priorities in the end', async () => {
      const clock = new TestClock()
      const { store, gate, order } = await halfWay(clock)
      await store.producer(queue).enqueue('urgent', { priority: 5 })
      await store.producer(queue).enqueue('some time', { priority: -5 })
      gate.open()
      // Its clock stands still: no place is ever too old.
      await eventually('all to begin', () => order.length === BACKLOG + 2)
      await eventually(
        'all to finish',
        async () => (await store.admin.metrics('lane')).archived === BACKLOG + 2,
      )
      expect(order).toContain('urgent')
      expect(order).toContain('some time')
    })

    it('looks for higher priorities again before the lane ends', async () => {
      const clock = new TestClock()
      const { store, gate, order } = await halfWay(clock)
      await store.producer(queue).enqueue('urgent', { priority: 5 })
      await clock.advance(10_000)
      gate.open()
      await eventually('all to begin', () => order.length === BACKLOG + 1)
      expect(order.indexOf('urgent')).toBeLessThan(2 * SLOTS + 1)
    })
  })
}
