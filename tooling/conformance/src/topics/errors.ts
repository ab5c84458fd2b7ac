import { describe, expect, it } from 'vitest'
import {
  defineWorkflow,
  KeyConflictError,
  LeaseLostError,
  PayloadError,
  TerminalError,
  TransientError,
} from '@pgqrs/core'
import { useBench } from '../bench.js'
import { Obstacle, takenOver } from '../obstacle.js'
import type { Target } from '../target.js'

class PaymentDeclined extends Error {
  readonly code = 'CARD_DECLINED'
  override readonly name = 'PaymentDeclined'
  constructor(
    readonly card: { last4: string; expires: Date },
    options?: ErrorOptions,
  ) {
    super(`card ${card.last4} was declined`, options)
  }
}
class InsufficientFunds extends PaymentDeclined {
  readonly missing = 5n
}
class Unregistered extends Error {
  override readonly name = 'Unregistered'
  readonly detail = { tried: 3 }
}

/** Errors of steps: the same class, name, message, code, fields and cause, live and replayed. */
export function errors(target: Target): void {
  describe('errors', () => {
    const bench = useBench(target)
    const once = { retry: { maxAttempts: 1 } }

    const thrown: Record<string, () => unknown> = {
      'an Error': () => new Error('plain'),
      'a TypeError': () => new TypeError('wrong type'),
      'a RangeError with a cause': () => new RangeError('too far', { cause: new SyntaxError('deep') }),
      'a cause that is no error': () => new Error('odd cause', { cause: { why: 'because' } }),
      'a system error': () =>
        Object.assign(new Error('ENOENT: no such file'), {
          code: 'ENOENT',
          errno: -2,
          syscall: 'open',
          path: '/x',
        }),
      'a numeric code': () =>
        Object.assign(new Error('http'), { code: 503, headers: new Map([['retry-after', '1']]) }),
      'a renamed error': () => Object.assign(new Error('named'), { name: 'SpecialError' }),
      'a PayloadError': () => new PayloadError('bad payload'),
      'a KeyConflictError': () => new KeyConflictError('taken', 'the key', 'the id'),
      'a LeaseLostError of another message': () => new LeaseLostError('gone', 'another id'),
      'a TerminalError with a code': () =>
        new TerminalError('over', { code: 'MY_CODE', cause: new Error('why') }),
      'a TransientError': () => new TransientError('later', { retryAfter: 5 }),
      'a registered class': () => new PaymentDeclined({ last4: '1234', expires: new Date(5) }),
      'a registered subclass': () =>
        new InsufficientFunds(
          { last4: '1', expires: new Date(6) },
          { cause: new PaymentDeclined({ last4: '2', expires: new Date(7) }) },
        ),
      'an AggregateError': () => new AggregateError([new TypeError('one')], 'several'),
    }

    it('throws the same error live and in a replay, of the same class and with all it says', async () => {
      const obstacle = new Obstacle()
      const passes: unknown[][] = []
      const workflow = defineWorkflow(
        'failing',
        { errors: [PaymentDeclined, InsufficientFunds] },
        async (run) => {
          const caught: unknown[] = []
          for (const make of Object.values(thrown)) {
            const body = (): never => {
              throw make()
            }
            caught.push(await run.step('fails', once, body).catch((error: unknown) => error))
          }
          passes.push(caught)
          await run.step('obstacle', obstacle.body)
        },
      )
      const handle = await takenOver(bench, workflow, obstacle)
      await handle.result()
      expect(passes).toHaveLength(2)
      const listed = (await handle.steps()).map((step) => step.error)
      Object.entries(thrown).forEach(([what, make], i) => {
        const expected = identity(make())
        expect(identity(passes[0]![i]), `${what}, live`).toEqual(expected)
        expect(identity(passes[1]![i]), `${what}, replayed`).toEqual(expected)
        expect(identity(listed[i]), `${what}, listed`).toEqual(expected)
        expect((passes[1]![i] as Error).stack, what).toBe((passes[0]![i] as Error).stack)
      })
    })

    it('makes an Error with the same name of a class that is not registered, the first time as well', async () => {
      const obstacle = new Obstacle()
      const caught: unknown[] = []
      const workflow = defineWorkflow('unregistered', async (run) => {
        const body = (): never => {
          throw new Unregistered('unknown here')
        }
        caught.push(await run.step('fails', once, body).catch((error: unknown) => error))
        await run.step('obstacle', obstacle.body)
      })
      await (await takenOver(bench, workflow, obstacle)).result()
      expect(caught).toHaveLength(2)
      for (const error of caught) {
        expect(error).not.toBeInstanceOf(Unregistered)
        expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
        expect(error).toMatchObject({ name: 'Unregistered', message: 'unknown here', detail: { tried: 3 } })
      }
    })

    it('keeps name and code of the platform’s own aborts', async () => {
      const obstacle = new Obstacle()
      const caught: unknown[] = []
      const workflow = defineWorkflow('aborting', async (run) => {
        const body = (): Promise<never> => Promise.reject(AbortSignal.abort().reason as Error)
        caught.push(await run.step('fails', once, body).catch((error: unknown) => error))
        await run.step('obstacle', obstacle.body)
      })
      await (await takenOver(bench, workflow, obstacle)).result()
      const shown = { name: 'AbortError', code: 20, message: 'This operation was aborted' }
      expect(caught).toMatchObject([shown, shown])
    })

    it('throws what was thrown when it was no error', async () => {
      const values: unknown[] = [
        'text',
        42,
        null,
        undefined,
        { status: 404, at: new Date(1) },
        new Map([[1, 2]]),
      ]
      const obstacle = new Obstacle()
      const passes: unknown[][] = []
      const workflow = defineWorkflow('odd', async (run) => {
        const caught: unknown[] = []
        for (const value of values) {
          const body = (): never => {
            throw value
          }
          await run.step('odd', once, body).catch((error: unknown) => caught.push(error))
        }
        const unstorable = (): never => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is tested
          throw () => 'a function'
        }
        caught.push(await run.step('function', once, unstorable).catch((error: unknown) => error))
        passes.push(caught)
        await run.step('obstacle', obstacle.body)
      })
      await (await takenOver(bench, workflow, obstacle)).result()
      expect(passes).toHaveLength(2)
      for (const caught of passes) {
        expect(caught.slice(0, -1)).toStrictEqual(values)
        expect(caught.at(-1)).toBeInstanceOf(Error)
        expect(String(caught.at(-1))).toContain('a function')
      }
    })

    it('takes the same branch on a caught error in every replay', async () => {
      const obstacle = new Obstacle()
      const ran: string[] = []
      const workflow = defineWorkflow('branching', { errors: [PaymentDeclined] }, async (run) => {
        let paid: string
        try {
          paid = await run.step('pay', once, () => {
            throw new PaymentDeclined({ last4: '1234', expires: new Date(0) })
          })
        } catch (error) {
          if (!(error instanceof PaymentDeclined)) throw error
          paid = await run.step('ask_for_another', () => {
            ran.push('asked')
            return `asked about ${error.card.last4}`
          })
        }
        await run.step('obstacle', obstacle.body)
        return paid
      })
      expect(await (await takenOver(bench, workflow, obstacle)).result()).toBe('asked about 1234')
      expect(ran).toEqual(['asked'])
    })

    it('gives the error of a failed run to whoever awaits it, with its class and its cause', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const cause = new PaymentDeclined({ last4: '9', expires: new Date(0) })
      const workflow = defineWorkflow('wrapped', { errors: [PaymentDeclined] }, () => {
        throw new TypeError('outer', { cause })
      })
      await store.worker([workflow]).start()
      const { id } = await store.trigger(workflow)
      for (const handle of [store.run(workflow, id), other.run(workflow, id)]) {
        const error = await handle.result().catch((e: unknown) => e)
        expect(error).toMatchObject({ name: 'RunFailedError', code: 'RUN_FAILED', id })
        expect((error as Error).cause).toBeInstanceOf(TypeError)
        expect(((error as Error).cause as Error).cause).toBeInstanceOf(PaymentDeclined)
        expect(identity((error as Error).cause)).toEqual(identity(new TypeError('outer', { cause })))
      }
    })

    it('ends the run when a step is begun and its error is awaited too late or never', async () => {
      const store = await bench.open()
      const loose: unknown[] = []
      const onLoose = (error: unknown): number => loose.push(error)
      process.on('unhandledRejection', onLoose)
      try {
        const workflow = defineWorkflow('late', async (run) => {
          const failing = run.step('fails', once, () => {
            throw new Error('early')
          })
          void run.step('forgotten', once, () => {
            throw new Error('forgotten')
          })
          await run.step('other', () => new Promise((resolve) => setTimeout(resolve, 20)))
          await failing
        })
        await store.worker([workflow]).start()
        const handle = await store.trigger(workflow)
        await expect(handle.result()).rejects.toMatchObject({ cause: { message: 'early' } })
        expect(loose).toEqual([])
      } finally {
        process.off('unhandledRejection', onLoose)
      }
    })
  })
}

/** All that makes two errors the same. */
function identity(error: unknown): unknown {
  if (!(error instanceof Error)) return { value: error }
  const { name, message, cause } = error
  return {
    class: (Object.getPrototypeOf(error) as Error).constructor.name,
    prototype: Object.getPrototypeOf(error) === error.constructor.prototype,
    name,
    message,
    code: (error as { code?: unknown }).code,
    fields: Object.fromEntries(Object.entries(error).filter(([key]) => !['name', 'code'].includes(key))),
    cause: cause === undefined ? undefined : identity(cause),
    errors: error instanceof AggregateError ? error.errors.map(identity) : undefined,
  }
}
