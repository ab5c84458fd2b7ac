import { describe, expect, it } from 'vitest'
import {
  defineQueue,
  defineWorkflow,
  InvalidStateError,
  RunCancelledError,
  type StepContext,
  type Store,
} from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { Gate } from '../gate.js'
import { interpose } from '../interpose.js'
import { Mortal } from '../mortal.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Cancelling: asked for from anywhere, seen at a boundary, never undone. */
export function cancel(target: Target): void {
  describe('cancel', () => {
    const bench = useBench(target)
    const untilAborted = ({ signal }: StepContext): Promise<never> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })

    it('ends a run at once that nobody executes: queued, delayed or paused', async () => {
      const store = await bench.open()
      const ran: string[] = []
      const workflow = defineWorkflow('waiting', async (run, name: string) => {
        ran.push(name)
        await run.pause('go')
        ran.push(`${name} went on`)
      })
      const queued = await store.trigger(workflow, 'queued')
      const delayed = await store.trigger(workflow, 'delayed', { delay: '1h' })
      expect(await queued.cancel('not wanted')).toBe('cancelled')
      expect(await delayed.cancel()).toBe('cancelled')
      await store.worker([workflow]).start()
      const paused = await store.trigger(workflow, 'paused')
      await eventually('the run to pause', async () => (await paused.status()) === 'paused')
      expect(await paused.cancel()).toBe('cancelled')
      await expect(paused.resume('go')).rejects.toThrow(InvalidStateError)
      await expect(queued.result()).rejects.toThrow('not wanted')
      for (const handle of [queued, delayed, paused]) {
        await expect(handle.result()).rejects.toThrow(RunCancelledError)
        await expect(handle.peek()).rejects.toThrow(RunCancelledError)
        expect(await handle.status()).toBe('cancelled')
      }
      const after = await store.trigger(workflow, 'after')
      await eventually('a later run', async () => (await after.status()) === 'paused')
      expect(ran).toEqual(['paused', 'after'])
    })

    const askers: Record<string, (store: Store) => Promise<Store>> = {
      'the worker’s own store': (store) => Promise.resolve(store),
      'another store': () => bench.open(),
    }
    for (const [who, asker] of Object.entries(askers)) {
      it(`reaches the running step of a run, asked for by ${who}: it begins nothing new and cleans up`, async () => {
        const store = await bench.open({ heartbeatInterval: '50ms' })
        const ran: string[] = []
        const seen: unknown[] = []
        const workflow = defineWorkflow('running', async (run) => {
          try {
            await run.step('first', () => ran.push('first'))
            await run.step('endless', (context) => {
              ran.push('endless')
              context.signal.addEventListener('abort', () => seen.push(context.signal.reason))
              return untilAborted(context)
            })
            ran.push('went on')
          } finally {
            ran.push('finally')
            seen.push(
              await run.step('cleanup', () => ran.push('cleanup step')).catch((error: unknown) => error),
            )
            seen.push(run.signal.aborted)
          }
        })
        await store.worker([workflow]).start()
        const handle = await store.trigger(workflow)
        await eventually('the step to run', () => ran.includes('endless'))
        const elsewhere = (await asker(store)).run(workflow, handle.id)
        expect(['cancelling', 'cancelled']).toContain(await elsewhere.cancel('enough'))
        await expect(elsewhere.result()).rejects.toThrow('enough')
        expect(ran).toEqual(['first', 'endless', 'finally'])
        expect(seen).toMatchObject([{ name: 'RunCancelledError' }, { name: 'RunCancelledError' }, true])
        expect((await handle.steps()).map((step) => step.name)).toEqual(['first'])
      })
    }

    it('never becomes success, also when the body returns as if nothing had happened', async () => {
      const store = await bench.open()
      let running = false
      const workflow = defineWorkflow('ignoring', async (run) => {
        await run
          .step('endless', (context) => {
            running = true
            return untilAborted(context)
          })
          .catch(() => 'caught')
        return 'success?'
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually('the step to run', () => running)
      await handle.cancel()
      await expect(handle.result()).rejects.toThrow(RunCancelledError)
      expect(await store.admin.runs.get(handle.id)).toMatchObject({ status: 'cancelled', output: undefined })
    })

    it('is not waited for by a body that ignores its signal, whose late end changes nothing', async () => {
      const store = await bench.open()
      let finish = (): void => undefined
      const late = new Promise<void>((resolve) => {
        finish = resolve
      })
      let running = false
      const workflow = defineWorkflow('deaf', async (run) => {
        await run.step('deaf', () => {
          running = true
          return late
        })
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually('the step to run', () => running)
      await handle.cancel()
      await expect(handle.result({ timeout: '15s' })).rejects.toThrow(RunCancelledError)
      finish()
      await new Promise((resolve) => setImmediate(resolve))
      expect(await handle.status()).toBe('cancelled')
      expect(await handle.steps()).toEqual([])
    })

    it('ends all branches, those that wait as well, and leaves no rejection behind', async () => {
      const store = await bench.open()
      const loose: unknown[] = []
      const onLoose = (error: unknown): number => loose.push(error)
      process.on('unhandledRejection', onLoose)
      try {
        let running = 0
        const ended: string[] = []
        const endless = (context: StepContext): Promise<never> => {
          running++
          return untilAborted(context)
        }
        const workflow = defineWorkflow('branches', async (run) => {
          const branches = {
            step: run.step('a', endless),
            sleep: run.sleep('b', '1h'),
            pause: run.pause('c'),
            retry: run.step('d', { retry: { maxAttempts: 2, delay: '1h' } }, () => {
              throw new Error('once')
            }),
            map: run.map('e', [1, 2, 3], (_, each) => each.step('inner', endless), { concurrency: 2 }),
          }
          // Awaited one after another: the others reject before anybody looks at them.
          for (const [name, branch] of Object.entries(branches)) await branch.catch(() => ended.push(name))
        })
        await store.worker([workflow]).start()
        const handle = await store.trigger(workflow)
        await eventually('the steps to run', () => running === 3)
        await handle.cancel()
        await expect(handle.result()).rejects.toThrow(RunCancelledError)
        expect(ended).toEqual(['step', 'sleep', 'pause', 'retry', 'map'])
        expect(running).toBe(3)
        expect(loose).toEqual([])
      } finally {
        process.off('unhandledRejection', onLoose)
      }
    })

    it('is seen with the record of a step: the branches that wait end with it', async () => {
      // Nothing but the checkpoint can bring the news: no heartbeat and no look for hints comes in time.
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const other = await bench.open()
      let finish = (): void => undefined
      const held = new Promise<void>((resolve) => {
        finish = resolve
      })
      let ended = false
      const workflow = defineWorkflow('heard_at_record', async (run) => {
        const sleeping = run.sleep('long', '1h').catch(() => {
          ended = true
        })
        await Promise.all([run.step('work', () => held), sleeping])
      })
      await store.worker([workflow]).start()
      const { id } = await store.trigger(workflow)
      await eventually('the branches', async () => (await other.run(workflow, id).steps()).length === 1)
      await other.run(workflow, id).cancel()
      finish()
      await eventually('the end', async () => (await other.run(workflow, id).status()) === 'cancelled')
      expect(ended).toBe(true)
    })

    it('ends a run whose worker died, when the lease lapses, and runs nothing of it', async () => {
      const clock = new TestClock()
      const mortal = new Mortal()
      let running = 0
      const workflow = defineWorkflow('orphaned', async (run) => {
        await run.step('endless', (context) => {
          running++
          return untilAborted(context)
        })
      })
      const dying = await bench.open({ clock, wrapDriver: mortal.wrapDriver })
      await dying.worker([workflow]).start()
      const { id } = await dying.trigger(workflow)
      await passTime(clock, 'the step to run', () => running === 1, 20)
      mortal.kill()
      const store = await bench.open({ clock })
      const handle = store.run(workflow, id)
      expect(await handle.cancel()).toBe('cancelling')
      expect(await handle.cancel()).toBe('cancelling')
      await store.worker([workflow]).start()
      expect(await handle.status()).toBe('cancelling')
      await passTime(clock, 'the lease to lapse', async () => (await handle.status()) === 'cancelled', 1000)
      expect(running).toBe(1)
    })

    it('may be asked for twice, and is refused for a run that has ended otherwise', async () => {
      const store = await bench.open()
      const good = defineWorkflow('good', () => 'done')
      const bad = defineWorkflow('bad', () => {
        throw new Error('failed')
      })
      const twice = await store.trigger(good)
      expect(await twice.cancel('first')).toBe('cancelled')
      expect(await twice.cancel('second')).toBe('cancelled')
      await expect(twice.result()).rejects.toThrow('first')
      await store.worker([good, bad]).start()
      const success = await store.trigger(good)
      await success.result()
      await expect(success.cancel()).rejects.toThrow(InvalidStateError)
      const failure = await store.trigger(bad)
      await failure.result().catch(() => undefined)
      await expect(failure.cancel()).rejects.toThrow(InvalidStateError)
      expect(await success.result()).toBe('done')
      expect([await success.status(), await failure.status()]).toEqual(['success', 'error'])
    })

    it('is never overwritten, whatever the run comes to at the same moment', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('close_call', async (run, kind: number) => {
        await run.step('work', () => kind)
        if (kind === 1) throw new Error('failed')
        if (kind === 2) await run.pause('never')
        if (kind === 3) await run.sleep('long', '1h')
      })
      await store.worker([workflow], { concurrency: 20 }).start()
      const race = async (i: number): Promise<void> => {
        const handle = await store.trigger(workflow, i % 4)
        for (let turn = 0; turn < i % 9; turn++) await new Promise((resolve) => setImmediate(resolve))
        const asked = await handle.cancel().catch((error: unknown) => error)
        const ended = await eventually('the end', async () => {
          const status = await handle.status()
          return ['success', 'error', 'cancelled'].includes(status) && status
        })
        expect(asked instanceof InvalidStateError ? ['success', 'error'] : ['cancelled']).toContain(ended)
      }
      for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 24 }, (_, i) => race(i)))
    })

    it('works on messages as well', async () => {
      const store = await bench.open({ heartbeatInterval: '50ms' })
      const queue = defineQueue<string>('plain')
      const waiting = await store.producer(queue).enqueue('waiting')
      expect(await store.admin.messages.cancel(waiting)).toBe('cancelled')
      let aborted: unknown
      let running = false
      const handler = queue.handler(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            running = true
            signal.addEventListener('abort', () => {
              aborted = signal.reason
              reject(signal.reason as Error)
            })
          }),
      )
      await store.worker([handler]).start()
      const held = await store.producer(queue).enqueue('held')
      await eventually('the handler to run', () => running)
      expect(await store.admin.messages.cancel(held, 'enough')).toBe('cancelling')
      await eventually('the end', async () => (await store.admin.messages.get(held)).status === 'cancelled')
      expect(aborted).toBeInstanceOf(RunCancelledError)
      expect(await store.admin.messages.get(held)).toMatchObject({
        failures: 0,
        error: { message: 'enough' },
      })
      await expect(store.admin.messages.cancel(held)).resolves.toBe('cancelled')
    })

    it('that comes while the history of a run is read keeps the run from going on', async () => {
      const clock = new TestClock()
      const reading = new Gate()
      const read = new Gate()
      let knows = false
      const slow = (driver: Driver): Driver =>
        interpose(driver, {
          execute: async (statements) => {
            const rows = await driver.execute(statements)
            const looked = statements.some((statement) => transitionOf(statement) === 'lookForCancels')
            if (looked && rows.flat().length > 0) knows = true
            if (statements.some(({ sql }) => /^\s*select\b.* as history\b/s.test(sql))) {
              reading.open()
              await read.passed
            }
            return rows
          },
        })
      const store = await bench.open({ clock, wrapDriver: slow })
      let begun = 0
      const workflow = defineWorkflow('slowly_read', () => {
        begun++
      })
      const handle = await store.trigger(workflow)
      // A holder that is never heard of again: from then on the history is read anew.
      await store.consumer(defineQueue('slowly_read')).dequeue({ lease: '1s' })
      await clock.advance('2s')
      await store.worker([workflow]).start()
      await reading.passed
      expect(await handle.cancel()).toBe('cancelling')
      await eventually('the worker to know', () => knows)
      read.open()
      await eventually('the run to end', async () => (await handle.status()) === 'cancelled')
      expect(begun).toBe(0)
    })
  })
}
