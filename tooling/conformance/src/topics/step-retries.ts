import { describe, expect, it } from 'vitest'
import { defineWorkflow, TerminalError, TimeoutError, TransientError, type StepContext } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Obstacle, takenOver } from '../obstacle.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

const minute = 60_000

/** Attempts of steps: in the process, across releases of the worker, and the limits on them. */
export function stepRetries(target: Target): void {
  describe('step retries', () => {
    const bench = useBench(target)

    it('tries again in the process after a short wait, and records only what came of it', async () => {
      const store = await bench.open()
      const attempts: number[] = []
      const released: string[] = []
      const workflow = defineWorkflow('flaky', { stepRetry: { maxAttempts: 3, delay: 1 } }, (run) =>
        run.step('flaky', ({ attempt }) => {
          attempts.push(attempt)
          if (attempt < 3) throw new Error(`attempt ${attempt}`)
          return 'done'
        }),
      )
      const onEvent = (event: { type: string }): number => (event.type === 'released' ? released.push('') : 0)
      await store.worker([workflow], { onEvent }).start()
      const handle = await store.trigger(workflow)
      expect(await handle.result()).toBe('done')
      expect(attempts).toEqual([1, 2, 3])
      expect(released).toEqual([])
      expect(await handle.steps()).toMatchObject([{ name: 'flaky', status: 'success', error: undefined }])
    })

    it('takes what a step does not say about retries from the workflow', async () => {
      const store = await bench.open()
      let attempts = 0
      const stepRetry = {
        maxAttempts: 9,
        delay: 1,
        shouldRetry: (error: unknown) => String(error).includes('again'),
      }
      const workflow = defineWorkflow('refined', { stepRetry }, async (run) => {
        await run.step('stops', { retry: { maxAttempts: 3 } }, () => {
          attempts++
          throw new Error(attempts < 2 ? 'again' : 'enough')
        })
      })
      await store.worker([workflow]).start()
      await expect((await store.trigger(workflow)).result()).rejects.toMatchObject({
        cause: { message: 'enough' },
      })
      expect(attempts).toBe(2)
    })

    it('gives the worker back during a long wait, remembers the failures, and is not early', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const attempts: { n: number; at: number }[] = []
      const retry = { maxAttempts: 2, backoff: 'fixed', delay: minute } as const
      const workflow = defineWorkflow('patient', (run) =>
        run.step('fails', { retry }, ({ attempt }) => {
          attempts.push({ n: attempt, at: clock.databaseNow() })
          throw new Error(`attempt ${attempt}`)
        }),
      )
      const quick = defineWorkflow('quick', (run) => run.step('one', () => 'done'))
      await store.worker([workflow, quick], { concurrency: 1 }).start()
      const handle = await store.trigger(workflow)
      await passTime(
        clock,
        'the step to fail',
        async () => (await handle.steps())[0]?.status === 'retrying',
        20,
      )
      await passTime(clock, 'the run to be put back', async () => (await handle.status()) === 'queued', 20)
      const other = await store.trigger(quick)
      await passTime(clock, 'another run to use the slot', async () => (await other.peek()) !== undefined, 20)
      expect(attempts).toHaveLength(1)
      await passTime(clock, 'the second attempt', () => attempts.length > 1, 1000)
      await passTime(clock, 'the end', async () => (await handle.status()) === 'error', 20)
      await expect(handle.result()).rejects.toMatchObject({ cause: { message: 'attempt 2' } })
      expect(attempts.map((one) => one.n)).toEqual([1, 2])
      expect(attempts[1]!.at - attempts[0]!.at).toBeGreaterThanOrEqual(minute)
      expect(await handle.steps()).toMatchObject([{ status: 'error', failures: 2 }])
    })

    it('does not try again earlier because another branch woke the run', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const attempts: number[] = []
      const woken: number[] = []
      const retry = { maxAttempts: 2, backoff: 'fixed', delay: minute } as const
      const workflow = defineWorkflow('two_paces', async (run) => {
        const flaky = run.step('flaky', { retry }, ({ attempt }) => {
          attempts.push(clock.databaseNow())
          if (attempt === 1) throw new Error('once')
        })
        const napping = run
          .sleep('nap', '10s')
          .then(() => run.step('nap_over', () => woken.push(clock.databaseNow())))
        await Promise.all([flaky, napping])
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await passTime(clock, 'the nap to be over', () => woken.length === 1, 1000)
      expect(attempts).toHaveLength(1)
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 1000)
      expect(attempts).toHaveLength(2)
      expect(attempts[1]! - attempts[0]!).toBeGreaterThanOrEqual(minute)
      expect(woken[0]! - attempts[0]!).toBeLessThan(minute)
    })

    it('lets go of the run when the worker stops during a short wait, long before the grace is over', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const events: unknown[] = []
      const retry = { maxAttempts: 5, backoff: 'fixed', delay: 900 } as const
      const workflow = defineWorkflow('stopped_short', (run) =>
        run.step('fails', { retry }, ({ attempt }) => {
          throw new Error(`attempt ${attempt}`)
        }),
      )
      const worker = store.worker([workflow], {
        onEvent: (event) => {
          if (event.type === 'step_failed' || event.type === 'released') events.push(event)
        },
      })
      await worker.start()
      const handle = await store.trigger(workflow)
      await passTime(clock, 'the first attempt', () => events.length === 1, 20)
      const from = clock.databaseNow()
      const stopping = worker.stop({ grace: '1h' })
      await passTime(clock, 'the stop', () => worker.status === 'stopped', 20)
      await stopping
      expect(clock.databaseNow() - from).toBeLessThan(60_000)
      expect(events).toMatchObject([{ type: 'step_failed' }, { type: 'released', reason: 'stop' }])
      expect(await handle.status()).toBe('queued')
    })

    it('waits as long as the error asks for', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const workflow = defineWorkflow('asked_to_wait', (run) =>
        run.step('limited', ({ attempt }) => {
          if (attempt === 1) throw new TransientError('slow down', { retryAfter: '1m' })
          return attempt
        }),
      )
      await store.worker([workflow]).start()
      const before = clock.databaseNow()
      const handle = await store.trigger(workflow)
      await passTime(clock, 'the run to be put back', async () => (await handle.steps()).length === 1, 20)
      const [step] = await handle.steps()
      expect(step).toMatchObject({ status: 'retrying', error: { name: 'TransientError', code: 'TRANSIENT' } })
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 1000)
      expect(await handle.result()).toBe(2)
      expect(clock.databaseNow() - before).toBeGreaterThanOrEqual(minute)
    })

    it('does not try again what is terminal, what shouldRetry refuses, and when shouldRetry throws', async () => {
      const store = await bench.open()
      const ran: string[] = []
      const bodies: Record<string, { error: Error; shouldRetry?: (error: unknown) => boolean }> = {
        terminal: { error: new TerminalError('never again') },
        refused: { error: new Error('refused'), shouldRetry: () => false },
        broken: {
          error: new Error('original'),
          shouldRetry: () => {
            throw new Error('broken predicate')
          },
        },
      }
      const workflow = defineWorkflow('stubborn', async (run) => {
        const messages: string[] = []
        for (const [name, { error, shouldRetry }] of Object.entries(bodies)) {
          const retry = { maxAttempts: 5, delay: 1, ...(shouldRetry === undefined ? {} : { shouldRetry }) }
          await run
            .step(name, { retry }, () => {
              ran.push(name)
              throw error
            })
            .catch((e: unknown) => messages.push((e as Error).message))
        }
        return messages
      })
      await store.worker([workflow]).start()
      expect(await (await store.trigger(workflow)).result()).toEqual(['never again', 'refused', 'original'])
      expect(ran).toEqual(['terminal', 'refused', 'broken'])
    })

    it('aborts an attempt that takes too long, fails it with a TimeoutError, and drops its late result', async () => {
      const obstacle = new Obstacle()
      const reasons: unknown[] = []
      const errors: unknown[] = []
      let finishLate: (value: string) => void = () => undefined
      const late = new Promise<string>((resolve) => {
        finishLate = resolve
      })
      const slow = ({ signal }: StepContext): Promise<string> => {
        signal.addEventListener('abort', () => {
          reasons.push(signal.reason)
        })
        return late
      }
      const workflow = defineWorkflow('slow', async (run) => {
        const options = { timeout: 20, retry: { maxAttempts: 1 } }
        errors.push(await run.step('slow', options, slow).catch((error: unknown) => error))
        finishLate('too late')
        await run.step('obstacle', obstacle.body)
      })
      const handle = await takenOver(bench, workflow, obstacle)
      await handle.result()
      expect(reasons).toHaveLength(1)
      expect(reasons[0]).toBeInstanceOf(TimeoutError)
      expect(errors).toHaveLength(2)
      for (const error of errors) {
        expect(error).toBeInstanceOf(TimeoutError)
        expect((error as Error).message).toContain('slow')
      }
      expect((await handle.steps())[0]).toMatchObject({ name: 'slow', status: 'error', output: undefined })
    })

    it('gives every attempt of a step the same idempotency key, in every pass, and other steps another', async () => {
      const obstacle = new Obstacle()
      const keys: Record<string, string[]> = {}
      const note = (step: string, key: string): number => (keys[step] ??= []).push(key)
      const workflow = defineWorkflow(
        'idempotent',
        { stepRetry: { maxAttempts: 2, delay: 1 } },
        async (run) => {
          await run.step('twice', ({ attempt, idempotencyKey }) => {
            note('twice', idempotencyKey)
            if (attempt === 1) throw new Error('once')
          })
          await run.map('each', [0, 1], (_, item) =>
            item.step('inner', ({ idempotencyKey }) => note('inner', idempotencyKey)),
          )
          await run.step('obstacle', (context) => {
            note('obstacle', context.idempotencyKey)
            return obstacle.body(context)
          })
        },
      )
      const handle = await takenOver(bench, workflow, obstacle)
      await handle.result()
      expect(keys.twice).toHaveLength(2)
      expect(keys.obstacle).toHaveLength(2)
      expect(keys.inner).toHaveLength(2)
      expect(new Set(keys.twice).size).toBe(1)
      expect(new Set(keys.obstacle).size).toBe(1)
      expect(new Set(Object.values(keys).flat()).size).toBe(4)
    })

    it('lets many steps run side by side without a warning of leaking listeners', async () => {
      const store = await bench.open()
      const warnings: Error[] = []
      const onWarning = (warning: Error): number => warnings.push(warning)
      process.on('warning', onWarning)
      try {
        let begun = 0
        const workflow = defineWorkflow('wide', async (run) => {
          const together = (context: StepContext): Promise<void> => {
            begun++
            context.signal.addEventListener('abort', () => undefined)
            return eventually('all to run', () => begun === 40).then(() => undefined)
          }
          await Promise.all(
            Array.from({ length: 40 }, (_, i) =>
              run.step('wide', { key: String(i), timeout: '1m' }, together),
            ),
          )
        })
        await store.worker([workflow]).start()
        await (await store.trigger(workflow)).result()
        await new Promise((resolve) => setImmediate(resolve))
        expect(warnings.filter((warning) => warning.name === 'MaxListenersExceededWarning')).toEqual([])
      } finally {
        process.off('warning', onWarning)
      }
    })
  })
}
