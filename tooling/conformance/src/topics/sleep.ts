import { describe, expect, it } from 'vitest'
import { defineWorkflow, InvalidArgumentError } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Obstacle, takenOver } from '../obstacle.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Durable sleep: holds nothing, ends on time, and never before. */
export function sleep(target: Target): void {
  describe('sleep', () => {
    const bench = useBench(target)

    it('holds no worker and no slot, and ends at its time, never before', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      let passes = 0
      const woken: number[] = []
      const sleeper = defineWorkflow('sleeper', async (run) => {
        passes++
        await run.sleep('long', '1m')
        await run.step('woken', () => woken.push(clock.databaseNow()))
      })
      const quick = defineWorkflow('quick', (run) => run.step('one', () => 'done'))
      const worker = store.worker([sleeper, quick], { concurrency: 1 })
      await worker.start()
      const handle = await store.trigger(sleeper)
      await passTime(clock, 'the run to sleep', async () => (await handle.status()) === 'paused', 20)
      await eventually('the slot to be free', () => worker.active === 0)
      const other = await store.trigger(quick)
      await passTime(clock, 'another run', async () => (await other.peek()) !== undefined, 20)
      expect(await store.admin.metrics('sleeper')).toMatchObject({
        paused: 1,
        leased: 0,
        ready: 0,
        delayed: 0,
      })

      const due = (await handle.steps())[0]!.wakeAt!.getTime()
      await clock.advance(due - 1 - clock.databaseNow())
      for (let i = 0; i < 20; i++) expect(await handle.status()).toBe('paused')
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 1)
      expect(passes).toBe(2)
      expect(woken).toHaveLength(1)
      expect(woken[0]).toBeGreaterThanOrEqual(due)
      expect(woken[0]).toBeLessThan(due + 1000)
    })

    it('sleeps until a point in time, and not at all when it has passed', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const until = new Date(clock.databaseNow() + 30_000)
      const workflow = defineWorkflow('until', async (run) => {
        await run.sleepUntil('past', new Date(0))
        await run.sleepUntil('future', until)
        return run.step('now', () => clock.databaseNow())
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await passTime(clock, 'the run to sleep', async () => (await handle.status()) === 'paused', 20)
      expect(await handle.steps()).toMatchObject([
        { name: 'past' },
        { name: 'future', kind: 'sleep', wakeAt: until },
      ])
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined)
      expect(await handle.result()).toBeGreaterThanOrEqual(until.getTime())
    })

    it('sleeps for years', async () => {
      const clock = new TestClock()
      const years = 30 * 365 * 24 * 3_600_000
      const workflow = defineWorkflow('years', async (run) => {
        await run.sleep('decades', years)
        return 'awake'
      })
      const first = await bench.open({ clock })
      await first.worker([workflow]).start()
      const { id } = await first.trigger(workflow)
      await passTime(
        clock,
        'the run to sleep',
        async () => (await first.run(workflow, id).status()) === 'paused',
        20,
      )
      const due = (await first.run(workflow, id).steps())[0]!.wakeAt!.getTime()
      expect(due - clock.databaseNow()).toBeGreaterThan(years - 60_000)
      await first.close()

      // More than 2^31 ms on: a timer that counts in 32 bits would have gone off.
      await clock.advance(due - 60_000 - clock.databaseNow())
      const second = await bench.open({ clock })
      await second.worker([workflow]).start()
      const handle = second.run(workflow, id)
      await clock.advance(30_000)
      expect(await handle.status()).toBe('paused')
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined)
      expect(await handle.result()).toBe('awake')
    })

    it('stays in the process when it is short', async () => {
      const store = await bench.open()
      let passes = 0
      const released: unknown[] = []
      const workflow = defineWorkflow('nap', async (run) => {
        passes++
        const before = await run.step('before', () => performance.now())
        await run.sleep('short', 40)
        await run.sleep('short', 0)
        return (await run.step('after', () => performance.now())) - before
      })
      const onEvent = (event: { type: string }): void => {
        if (event.type === 'released') released.push(event)
      }
      await store.worker([workflow], { onEvent }).start()
      expect(await (await store.trigger(workflow)).result()).toBeGreaterThanOrEqual(40)
      expect(passes).toBe(1)
      expect(released).toEqual([])
    })

    it('is not slept again in a replay', async () => {
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('slept', async (run) => {
        await run.sleep('short', 30)
        await run.step('obstacle', obstacle.body)
        return run.step('after', () => 'done')
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toBe('done')
      const [slept, ...rest] = await handle.steps()
      expect(slept!.wakeAt!.getTime() - slept!.recordedAt.getTime()).toBe(30)
      expect(rest.map((step) => step.name)).toEqual(['obstacle', 'after'])
    })

    it('goes on where it was when a worker is stopped in the middle of it', async () => {
      const clock = new TestClock()
      const workflow = defineWorkflow('moved', async (run) => {
        await run.sleep('long', '1m')
        return clock.databaseNow()
      })
      const begun = clock.databaseNow()
      const first = await bench.open({ clock })
      const worker = first.worker([workflow])
      await worker.start()
      const { id } = await first.trigger(workflow)
      await passTime(
        clock,
        'the run to sleep',
        async () => (await first.run(workflow, id).status()) === 'paused',
        20,
      )
      await clock.advance(30_000)
      await worker.stop()
      const second = await bench.open({ clock })
      await second.worker([workflow]).start()
      const handle = second.run(workflow, id)
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined)
      const woken = await handle.result()
      expect(woken - begun).toBeGreaterThanOrEqual(60_000)
      expect(woken - begun).toBeLessThan(80_000)
    })

    it('sleeps in several branches at once, each its own time', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const woken: Record<string, number> = {}
      const workflow = defineWorkflow('sleepers', async (run) => {
        const begun = await run.step('begin', () => clock.databaseNow())
        const branch = async (name: string, ms: number): Promise<void> => {
          await run.sleep(name, ms)
          woken[name] ??= clock.databaseNow() - begun
        }
        await Promise.all([branch('moment', 500), branch('short', 5000), branch('long', 30_000)])
      })
      const released: string[] = []
      const onEvent = (event: { type: string }): void => {
        if (event.type === 'released') released.push(Object.keys(woken).join(' '))
      }
      const worker = store.worker([workflow], { onEvent })
      await worker.start()
      const handle = await store.trigger(workflow)
      // The moment is waited for in the process; then nothing short is left, and the run lets go of the worker.
      await passTime(clock, 'the moment', () => woken.moment !== undefined, 50)
      await passTime(clock, 'the run to be put down', async () => (await handle.status()) === 'paused', 50)
      expect(woken.short).toBeUndefined()
      await passTime(clock, 'the short one', () => woken.short !== undefined, 50)
      await passTime(
        clock,
        'the run to be put down again',
        async () => (await handle.status()) === 'paused',
        50,
      )
      expect(woken.long).toBeUndefined()
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined)
      expect(woken.moment).toBeGreaterThanOrEqual(500)
      expect(woken.short).toBeGreaterThanOrEqual(5000)
      expect(woken.long).toBeGreaterThanOrEqual(30_000)
      expect(released).toEqual(['moment', 'moment short'])
    })

    it('refuses a time that is none', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('senseless', async (run) => {
        const errors: unknown[] = []
        for (const span of [-1, NaN, Infinity, 'soon']) {
          errors.push(
            await run.sleep('bad', span).then(
              () => span,
              (error: unknown) => error,
            ),
          )
        }
        errors.push(await run.sleepUntil('bad', new Date(NaN)).catch((error: unknown) => error))
        return errors.map((error) => error instanceof InvalidArgumentError)
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      expect(await handle.result()).toEqual([true, true, true, true, true])
      expect(await handle.steps()).toEqual([])
    })
  })
}
