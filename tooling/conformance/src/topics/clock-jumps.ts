import { describe, expect, it } from 'vitest'
import { defineQueue, LeaseLostError } from '@pgqrs/core'
import type { Clock } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Gate } from '../gate.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** The clock of the database is corrected in one jump: early or late, but never two holders. */
export function clockJumps(target: Target): void {
  describe('a jump of the clock', () => {
    const bench = useBench(target)

    /** The clock of the database, as a test sets it: a host whose clock is corrected in one jump. */
    function jumping(clock: TestClock, offset: () => number): Clock {
      return {
        databaseNow: () => clock.databaseNow() + offset(),
        wallNow: () => clock.wallNow() + offset(),
        monotonic: () => clock.monotonic(),
        after: (ms, callback) => clock.after(ms, callback),
        settle: () => clock.settle(),
      }
    }

    const queue = defineQueue<number>('timed')

    it.each([
      ['back', -3_600_000],
      ['ahead', 3_600_000],
    ])('leaves a message one holder, and a timer its time: set %s', async (_, byMs) => {
      const clock = new TestClock()
      let offset = 0
      const jumps = jumping(clock, () => offset)
      const store = await bench.open({ clock: jumps })
      const second = (await bench.open({ clock: jumps })).consumer(queue)
      const ids = await store.producer(queue).enqueueMany([1, 2])
      const later = await store.producer(queue).enqueue(3, { delay: '2h' })
      const held = await store.consumer(queue).dequeue({ limit: 2, lease: '10s' })
      offset = byMs
      const taken = await second.dequeue({ limit: 3, lease: '1h' })
      expect(taken.map(({ id }) => id)).toEqual(byMs < 0 ? [] : ids)
      const late = held.map((message) => message.archive('the first').catch((error: unknown) => error))
      for (const end of await Promise.all(late)) {
        if (byMs < 0) expect(end).toBeUndefined()
        else expect(end).toBeInstanceOf(LeaseLostError)
      }
      expect(await store.admin.messages.get(later)).toMatchObject({ status: 'queued', claims: 0 })
    })

    it('takes a message from the handler whose worker claims it once more', async () => {
      const clock = new TestClock()
      let offset = 0
      const store = await bench.open({ clock: jumping(clock, () => offset) })
      const gate = new Gate()
      const reasons: unknown[] = []
      let begun = 0
      const handler = queue.handler(async (_, { signal }) => {
        begun++
        signal.addEventListener('abort', () => reasons.push(signal.reason))
        await gate.passed
      })
      await store.worker([handler], { concurrency: 2 }).start()
      await store.producer(queue).enqueue(1)
      await eventually('the handler to begin', () => begun === 1)
      offset = 3_600_000
      const from = clock.monotonic()
      await passTime(clock, 'the message to be claimed once more', () => begun === 2, 20)
      gate.open()
      expect(reasons).toEqual([expect.any(LeaseLostError)])
      // No renewal has told: the first comes after a third of the lease.
      expect(clock.monotonic() - from).toBeLessThan(5000)
    })
  })
}
