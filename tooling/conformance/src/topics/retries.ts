import { describe, expect, it } from 'vitest'
import {
  defineQueue,
  defineWorkflow,
  TerminalError,
  TimeoutError,
  TransientError,
  type HandledMessage,
  type HandlerOptions,
  type MessageInfo,
  type RetryOptions,
  type WorkerEvent,
} from '@pgqrs/core'
import { systemRandom } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { Gate } from '../gate.js'
import { intercept } from '../intercept.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

type Handle = (message: HandledMessage<string>, context: { readonly signal: AbortSignal }) => unknown

/** Handlers that throw: back-off, limits, dead letters, snooze, timeout. */
export function retries(target: Target): void {
  describe('retry', () => {
    const bench = useBench(target)
    const queue = defineQueue<string>('tries')

    /** Works on one message until it has finished, and tells of every attempt. */
    async function finish(handle: Handle, options: HandlerOptions = {}, fraction = 0.5) {
      const clock = new TestClock()
      const random = { ...systemRandom, fraction: () => fraction }
      const store = await bench.open({ clock, random })
      const id = await store.producer(queue).enqueue('once')
      const attempts: { readonly at: number; readonly attempt: number }[] = []
      const waits: number[] = []
      const onEvent = (event: WorkerEvent): void => {
        if (event.type === 'released') waits.push(event.inMs)
      }
      const handler = queue.handler((message, context) => {
        attempts.push({ at: clock.monotonic(), attempt: message.attempt })
        return handle(message, context)
      }, options)
      const worker = store.worker([handler], { onEvent })
      await worker.start()
      const isOver = ({ status }: MessageInfo): boolean => status === 'success' || status === 'error'
      const info = await passTime(
        clock,
        'the end of the message',
        async () => {
          const now = await store.admin.messages.get(id)
          return isOver(now) ? now : undefined
        },
        500,
      )
      // It would take the next message of this queue, too.
      await worker.stop()
      const gaps = attempts.slice(1).map(({ at }, i) => at - attempts[i]!.at)
      return { info, attempts: attempts.map(({ attempt }) => attempt), waits, gaps, store }
    }

    const failing = (): never => {
      throw new RangeError('never works')
    }

    const policies: [string, RetryOptions, number, number[]][] = [
      ['fixed', { backoff: 'fixed', delay: '2s', maxAttempts: 4 }, 0, [2000, 2000, 2000]],
      ['exponential', { backoff: 'exponential', delay: '1s', maxAttempts: 4 }, 0, [1000, 2000, 4000]],
      [
        'exponential with a cap',
        { backoff: 'exponential', delay: '1s', maxDelay: '3s', maxAttempts: 5 },
        0,
        [1000, 2000, 3000, 3000],
      ],
      [
        'exponential with the least jitter',
        { backoff: 'exponential-jitter', delay: '1s', maxAttempts: 3 },
        0,
        [500, 1000],
      ],
      [
        'exponential with the most jitter',
        { backoff: 'exponential-jitter', delay: '1s', maxAttempts: 3 },
        1,
        [1000, 2000],
      ],
    ]
    it.each(policies)('waits as told between attempts: %s', async (_, retry, fraction, waits) => {
      const outcome = await finish(failing, { retry }, fraction)
      expect(outcome.waits).toEqual(waits)
      for (const [i, gap] of outcome.gaps.entries()) expect(gap).toBeGreaterThanOrEqual(waits[i]!)
      expect(outcome.attempts).toEqual([...waits.keys(), waits.length].map((n) => n + 1))
      expect(outcome.info).toMatchObject({ status: 'error', failures: waits.length + 1, crashes: 0 })
      expect(outcome.info.error).toBeInstanceOf(RangeError)
      expect(outcome.info.error).toMatchObject({ message: 'never works' })
    })

    it('ends with the first success', async () => {
      const { info, attempts } = await finish(
        ({ attempt }) => {
          if (attempt < 3) throw new Error('not yet')
          return 'done'
        },
        { retry: { backoff: 'fixed', delay: 0 } },
      )
      expect(attempts).toEqual([1, 2, 3])
      expect(info).toMatchObject({ status: 'success', output: 'done', failures: 2 })
    })

    it.each(['fixed', 'exponential', 'exponential-jitter'] as const)(
      'waits at least as long as the error asks for: %s',
      async (backoff) => {
        const handle: Handle = ({ attempt }) => {
          if (attempt === 1) throw new TransientError('busy', { retryAfter: '7s' })
          if (attempt === 2) throw Object.assign(new Error('busy'), { retryAfter: 9000 })
          if (attempt === 3) throw Object.assign(new Error('busy'), { retryAfter: 100 })
        }
        const { waits } = await finish(handle, { retry: { backoff, delay: '1s' } }, 1)
        expect(waits).toEqual([7000, 9000, backoff === 'fixed' ? 1000 : 4000])
      },
    )

    it('does not try again what shouldRetry refuses, nor when it throws itself', async () => {
      const refusing = { shouldRetry: (error: unknown) => !(error instanceof RangeError) }
      expect((await finish(failing, { retry: refusing })).attempts).toEqual([1])
      const broken = { shouldRetry: failing }
      expect((await finish(failing, { retry: broken })).attempts).toEqual([1])
    })

    it('never tries again after a TerminalError', async () => {
      const { info, attempts } = await finish(() => {
        throw new TerminalError('give up', { code: 'GONE' })
      })
      expect(attempts).toEqual([1])
      expect(info.error).toBeInstanceOf(TerminalError)
      expect(info.error).toMatchObject({ code: 'GONE', message: 'give up' })
    })

    it('snoozes at no attempt’s cost', async () => {
      let calls = 0
      const { info, attempts, waits } = await finish((message) => {
        calls++
        return calls < 4 ? message.snooze('3s') : 'awake'
      })
      expect(attempts).toEqual([1, 1, 1, 1])
      expect(waits).toEqual([3000, 3000, 3000])
      expect(info).toMatchObject({ status: 'success', output: 'awake', failures: 0, crashes: 0, claims: 4 })
    })

    it('aborts the signal of a handler that takes too long, and counts it as a failure', async () => {
      const reasons: unknown[] = []
      const { info } = await finish(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reasons.push(signal.reason)
              reject(new Error('aborted'))
            })
          }),
        { timeout: '2s', retry: { maxAttempts: 2, delay: 0 } },
      )
      expect(reasons).toHaveLength(2)
      for (const reason of reasons) expect(reason).toBeInstanceOf(TimeoutError)
      expect(info).toMatchObject({ status: 'error', failures: 2 })
      expect(info.error).toBeInstanceOf(TimeoutError)
    })

    it('gives up waiting for a handler that ignores its timeout', async () => {
      const { info } = await finish(() => new Promise(() => undefined), {
        timeout: '2s',
        retry: { maxAttempts: 1 },
      })
      expect(info.error).toBeInstanceOf(TimeoutError)
    })

    it('lets a holder that was late forget nothing of a run that somebody else goes by', async () => {
      const clock = new TestClock()
      /** A store whose way to the database lets nothing be forgotten before the gate opens. */
      async function hesitant() {
        const gate = new Gate()
        const told = { reached: 0, forgot: 0 }
        const wrapDriver = intercept(async (statements, next) => {
          const moves = statements.map(transitionOf)
          // While it hesitates it does not renew its lease either, nor does it claim the run again.
          if (told.reached > 0 && (moves.includes('extend') || moves.includes('claim'))) await gate.passed
          if (!moves.includes('forget')) return next(statements)
          told.reached++
          await gate.passed
          const rows = await next(statements)
          told.forgot++
          return rows
        })
        return { store: await bench.open({ clock, wrapDriver }), gate, told }
      }
      const first = await hesitant()
      const second = await hesitant()
      let attempts = 0
      const workflow = defineWorkflow(
        'shaky',
        { lease: '5s', retry: { maxAttempts: 3, backoff: 'fixed', delay: '1ms' } },
        (run) =>
          run.step('once', { retry: { maxAttempts: 1 } }, () => {
            if (++attempts === 1) throw new Error('at first')
            return 'in the end'
          }),
      )
      const handle = await first.store.trigger(workflow)
      await first.store.worker([workflow]).start()
      await passTime(clock, 'the first to be about to forget', () => first.told.reached === 1, 20)
      await clock.advance(6000)
      await second.store.worker([workflow]).start()
      await passTime(clock, 'the second to go by the same failure', () => second.told.reached === 1, 20)
      first.gate.open()
      await passTime(clock, 'the first to have tried', () => first.told.forgot === 1, 5)
      expect(await handle.steps()).toMatchObject([{ name: 'once', status: 'error' }])
      expect(attempts).toBe(1)
      second.gate.open()
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 20)
      expect(await handle.result()).toBe('in the end')
      expect(attempts).toBe(2)
    })

    it('tells in whole milliseconds when it comes again, as do snoozes and pauses', async () => {
      const store = await bench.open()
      const events: WorkerEvent[] = []
      const jittered = defineQueue<number>('jittered')
      const paused = defineWorkflow('paused', (run) => run.pause('go', { timeout: 60_000.25 }))
      const worker = store.worker(
        [
          jittered.handler(
            (message) => {
              if (message.payload === 1) return message.snooze(3_600_000.5)
              throw new Error('no')
            },
            { retry: { maxAttempts: 2, delay: 3_600_000.5, maxDelay: '1d' } },
          ),
          paused,
        ],
        { onEvent: (event) => events.push(event) },
      )
      await store.producer(jittered).enqueueMany([1, 2, 3, 4])
      await store.trigger(paused)
      await worker.start()
      const released = () => events.flatMap((event) => (event.type === 'released' ? [event] : []))
      await eventually('all to be given back', () => released().length === 5)
      expect(
        released()
          .map(({ reason }) => reason)
          .sort(),
      ).toEqual(['pause', 'retry', 'retry', 'retry', 'snooze'])
      for (const { inMs } of released()) expect(inMs).toBe(Math.round(inMs))
    })
  })
}
