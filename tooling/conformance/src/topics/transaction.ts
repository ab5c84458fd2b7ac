import { describe, expect, it } from 'vitest'
import { defineWorkflow, RunCancelledError, TimeoutError } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Obstacle, takenOver } from '../obstacle.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Transactional steps: what they write and the record of it are visible together, once. */
export function transaction(target: Target): void {
  describe('transactional steps', () => {
    const bench = useBench(target)
    const effects = async (): Promise<string[]> =>
      (await bench.db.query('select name from effects order by name')).map((row) => String(row.name))
    const once = { retry: { maxAttempts: 1 } }

    it('commit what they write with their record, and do not run again in a replay', async () => {
      const obstacle = new Obstacle()
      let ran = 0
      const workflow = defineWorkflow('writes', async (run) => {
        const [first, second] = [
          await run.transaction('await', async (tx) => {
            ran++
            await bench.db.writeEffect(tx, 'asynchronous')
            await new Promise((resolve) => setImmediate(resolve))
            await bench.db.writeEffect(tx, 'asynchronous again')
            return new Date(7)
          }),
          await run.transaction('plain', (tx) => {
            ran++
            const written = bench.db.writeEffect(tx, 'plain')
            return written instanceof Promise ? written.then(() => 8n) : 8n
          }),
        ]
        await run.step('obstacle', obstacle.body)
        return [first, second]
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toStrictEqual([new Date(7), 8n])
      expect(ran).toBe(2)
      expect(await effects()).toEqual(['asynchronous', 'asynchronous again', 'plain'])
      expect(await handle.steps()).toMatchObject([
        { name: 'await', kind: 'transaction', status: 'success', output: new Date(7) },
        { name: 'plain', kind: 'transaction', status: 'success', output: 8n },
        { name: 'obstacle' },
      ])
    })

    it('roll back when the callback throws; each attempt begins anew', async () => {
      const store = await bench.open()
      const attempts: string[] = []
      const retry = { maxAttempts: 3, delay: 1 }
      const workflow = defineWorkflow('retried', (run) =>
        run.transaction('write', { retry }, async (tx) => {
          attempts.push('attempt')
          await bench.db.writeEffect(tx, `attempt ${attempts.length}`)
          if (attempts.length < 3) throw new Error('not yet')
          return attempts.length
        }),
      )
      await store.worker([workflow]).start()
      expect(await (await store.trigger(workflow)).result()).toBe(3)
      expect(await effects()).toEqual(['attempt 3'])
    })

    it('record the error when the attempts are used up, and throw it again in a replay', async () => {
      const obstacle = new Obstacle()
      const caught: unknown[] = []
      let ran = 0
      const workflow = defineWorkflow('failing', async (run) => {
        const failing = run.transaction('write', once, async (tx) => {
          ran++
          await bench.db.writeEffect(tx, 'never')
          throw new RangeError('no')
        })
        caught.push(await failing.catch((error: unknown) => error))
        await run.step('obstacle', obstacle.body)
      })
      const handle = await takenOver(bench, workflow, obstacle)
      await handle.result()
      expect(ran).toBe(1)
      expect(caught).toHaveLength(2)
      for (const error of caught) expect(error).toBeInstanceOf(RangeError)
      expect(await effects()).toEqual([])
      expect((await handle.steps())[0]).toMatchObject({ kind: 'transaction', status: 'error', failures: 1 })
    })

    it('are rolled back past their time limit, and nothing the late callback does counts', async ({
      skip,
    }) => {
      skip(target.name.includes('memory'), 'one connection: a late callback has the application’s own')
      const store = await bench.open()
      let goOn = (): void => undefined
      const late = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const afterwards: unknown[] = []
      const workflow = defineWorkflow('slow', async (run) => {
        const slow = run.transaction('write', { ...once, timeout: 50 }, async (tx) => {
          await bench.db.writeEffect(tx, 'in time')
          await late
          try {
            afterwards.push(await bench.db.writeEffect(tx, 'too late'))
          } catch (error) {
            afterwards.push(error)
            throw error
          }
        })
        const error = await slow.catch((e: unknown) => e)
        goOn()
        await run.step('wait', () =>
          eventually('the late callback', () => afterwards.length === 1).then(() => null),
        )
        await run.transaction('next', async (tx) => {
          await bench.db.writeEffect(tx, 'next')
        })
        return [error instanceof TimeoutError, (error as Error).message]
      })
      await store.worker([workflow]).start()
      const [isTimeout, message] = await (await store.trigger(workflow)).result()
      expect(isTimeout).toBe(true)
      expect(message).toContain('50 ms')
      expect(message).toContain('rolled back')
      expect(afterwards[0]).toBeInstanceOf(Error)
      expect(await effects()).toEqual(['next'])
    })

    it('leave nothing behind when the lease was lost before they began, and the holder does not know', async () => {
      // The clock of the zombie stands still, so nothing but the fence can tell it.
      const still = new TestClock()
      const clock = new TestClock()
      const events: string[] = []
      let passes = 0
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const workflow = defineWorkflow('overtaken', async (run) => {
        const pass = ++passes
        if (pass === 1) await held
        return run.transaction('write', async (tx) => {
          await bench.db.writeEffect(tx, `pass ${pass}`)
          return pass
        })
      })
      const zombie = await bench.open({ clock: still })
      const onEvent = ({ type }: { type: string }): number => events.push(type)
      await zombie.worker([workflow], { onEvent }).start()
      const { id } = await zombie.trigger(workflow)
      await eventually('the run to begin', () => passes === 1)
      const store = await bench.open({ clock })
      await store.worker([workflow]).start()
      const handle = store.run(workflow, id)
      await passTime(clock, 'the take-over', async () => (await handle.peek()) !== undefined, 1000)
      release()
      await eventually('the zombie to notice', () => events.includes('lease_lost'))
      expect(await handle.result()).toBe(2)
      expect(await effects()).toEqual(['pass 2'])
    })

    it('refuse a result that cannot be recorded, and roll back what was written for it', async () => {
      const store = await bench.open()
      let ran = 0
      const workflow = defineWorkflow('unstorable', (run) =>
        run.transaction('write', async (tx) => {
          ran++
          await bench.db.writeEffect(tx, 'never')
          return () => 'a function'
        }),
      )
      await store.worker([workflow]).start()
      await expect((await store.trigger(workflow)).result()).rejects.toMatchObject({
        cause: { name: 'TerminalError', code: 'UNSERIALIZABLE', message: expect.stringContaining('write') },
      })
      expect(ran).toBe(1)
      expect(await effects()).toEqual([])
    })

    it('commit all or nothing when the callback swallows an error of the database', async () => {
      const store = await bench.open()
      const swallowed: unknown[] = []
      const workflow = defineWorkflow('swallowing', async (run) => {
        await run.transaction('write', once, async (tx) => {
          await bench.db.writeEffect(tx, 'before')
          try {
            // The column takes no null.
            await bench.db.writeEffect(tx, null as unknown as string)
          } catch (error) {
            swallowed.push(error)
          }
          // A transaction of Postgres is over by then, and says so; one of SQLite goes on.
          await bench.db.writeEffect(tx, 'after')
        })
        return 'committed'
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      const result = await handle.result().catch(() => 'refused')
      expect(swallowed).toHaveLength(1)
      const recorded = (await handle.steps()).map((step) => step.status)
      if (result === 'committed') {
        expect(await effects()).toEqual(['after', 'before'])
        expect(recorded).toEqual(['success'])
      } else {
        expect(await effects()).toEqual([])
        expect(recorded).toEqual(['error'])
      }
    })

    it('work side by side in many runs', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('crowd', (run, n: number) =>
        run.transaction('write', async (tx) => {
          await bench.db.writeEffect(tx, `run ${String(n).padStart(2, '0')}`)
          if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
          return n
        }),
      )
      await store.worker([workflow], { concurrency: 20 }).start()
      const handles = await Promise.all(Array.from({ length: 20 }, (_, n) => store.trigger(workflow, n)))
      const numbers = await Promise.all(handles.map((handle) => handle.result({ timeout: '25s' })))
      expect(numbers).toEqual(handles.map((_, n) => n))
      expect(await effects()).toEqual(numbers.map((n) => `run ${String(n).padStart(2, '0')}`))
    })

    it('do not begin when a cancel was asked for that nobody has told the worker of', async () => {
      const store = await bench.open({ clock: new TestClock() })
      const other = await bench.open()
      let running = false
      let goOn = (): void => undefined
      const held = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const caught: unknown[] = []
      const workflow = defineWorkflow('stopped', async (run) => {
        running = true
        await held
        const writing = run.transaction('write', async (tx) => {
          await bench.db.writeEffect(tx, 'never')
        })
        caught.push(await writing.catch((error: unknown) => error))
      })
      await store.worker([workflow]).start()
      const { id } = await store.trigger(workflow)
      await eventually('the run to begin', () => running)
      const handle = other.run(workflow, id)
      expect(await handle.cancel()).toBe('cancelling')
      goOn()
      await expect(handle.result()).rejects.toThrow(RunCancelledError)
      expect(caught).toMatchObject([{ name: 'RunCancelledError' }])
      expect(await effects()).toEqual([])
    })
  })
}
