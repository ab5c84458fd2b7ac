import { describe, expect, it } from 'vitest'
import { defineWorkflow, type StepContext } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
import { intercept } from '../intercept.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Workers that have nothing to do: they hear of each other's commits, and must not answer them with commits. */
export function idle(target: Target): void {
  describe('idle workers', () => {
    const bench = useBench(target)

    it('write their heartbeats and renew their leases, and nothing else, however many they are', async () => {
      const clock = new TestClock()
      const written: string[] = []
      const wrapDriver = intercept((statements, next) => {
        for (const { sql, reads } of statements) if (!reads) written.push(sql)
        return next(statements)
      })
      let running = 0
      const workflow = defineWorkflow('held', (run) =>
        run.step('endless', ({ signal }: StepContext) => {
          running++
          return new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error)
            })
          })
        }),
      )
      const stores = [await bench.open({ clock, wrapDriver }), await bench.open({ clock, wrapDriver })]
      const workers = stores.map((store) => store.worker([workflow], { concurrency: 2 }))
      await Promise.all(workers.map((worker) => worker.start()))
      const handles = [await stores[0]!.trigger(workflow), await stores[0]!.trigger(workflow)]
      await passTime(clock, 'both runs', () => running === 2, 20)

      written.length = 0
      const from = clock.databaseNow()
      await passTime(clock, 'half a minute', () => clock.databaseNow() - from >= 30_000, 500)
      // Two workers beat every 5 seconds, and two leases are renewed with each beat.
      const told = written.filter((sql) => /set (heartbeat_at|vt) =/.test(sql))
      expect(told.length).toBeGreaterThan(4)
      expect(told.length).toBeLessThanOrEqual(2 * 7 * 3)
      const others = written.filter((sql) => !told.includes(sql))
      // A claim that finds nothing changes nothing.
      expect(others.filter((sql) => !/update[^]*crashes = crashes \+/.test(sql))).toEqual([])

      for (const handle of handles) await handle.cancel()
      await passTime(clock, 'the end', async () => {
        const statuses = await Promise.all(handles.map((handle) => handle.status()))
        return statuses.every((status) => status === 'cancelled')
      })
    })
  })
}
