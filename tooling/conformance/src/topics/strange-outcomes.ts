import { describe, expect, it } from 'vitest'
import { defineQueue, TerminalError } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

function circularCause(): Error {
  const error = new Error('a circle')
  const cause = new Error('its cause', { cause: error })
  error.cause = cause
  return error
}

function throwingGetters(): Error {
  const error = new Error('getters')
  for (const name of ['name', 'message', 'stack', 'code', 'cause', 'extra']) {
    Object.defineProperty(error, name, {
      enumerable: true,
      get: () => {
        throw new Error('out of reach')
      },
    })
  }
  return error
}

const withStack = (stack: string): Error => Object.assign(new Error('a huge stack'), { stack })

const thrown: Readonly<Record<string, () => unknown>> = {
  'a text': () => 'just a text',
  nothing: () => undefined,
  null: () => null,
  'a number': () => 42,
  'a plain object': () => ({ reason: 'plain' }),
  'a symbol': () => Symbol('s'),
  'a function': () => () => undefined,
  'an object that cannot be shown': () => Object.create(null) as unknown,
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'NUL and half a surrogate in the message': () => new Error('a\u0000b\ud800'),
  'NUL in the code': () => Object.assign(new Error('code'), { code: 'A\u0000B' }),
  'a circular cause': circularCause,
  'a field that contains itself': () => {
    const error = new Error('a field')
    return Object.assign(error, { self: error, fine: 1 })
  },
  'getters that throw': throwingGetters,
  'a huge stack': () => withStack('x'.repeat(5_000_000)),
  'a huge message': () => new Error('y'.repeat(5_000_000)),
}

const returned: Readonly<Record<string, () => unknown>> = {
  'a function': () => () => 1,
  'a cycle': () => {
    const value: { self?: unknown } = {}
    value.self = value
    return value
  },
  'too much': () => 'x'.repeat(2 * 1024 * 1024),
  'a class instance': () => new URL('https://example.org'),
}

/** Whatever a handler throws or returns, its message ends and the worker goes on. */
export function strangeOutcomes(target: Target): void {
  describe('strange outcome', () => {
    const bench = useBench(target)
    const queue = defineQueue<string>('strange', { retry: { maxAttempts: 1 } })

    it('ends as a dead letter, whatever is thrown', async () => {
      const store = await bench.open()
      const handler = queue.handler(({ payload }) => {
        throw thrown[payload]!()
      })
      await store.worker([handler]).start()
      const names = Object.keys(thrown)
      await store.producer(queue).enqueueMany(names)
      await eventually(
        'all to be dead',
        async () => (await store.admin.metrics('strange')).dead === names.length,
      )
      const { items } = await store.admin.dead.list()
      const errors = new Map(items.map(({ payload, error }) => [payload, error]))
      expect(errors.get('a text')).toBe('just a text')
      expect(errors.get('nothing')).toBe(undefined)
      expect(errors.get('null')).toBe(null)
      expect(errors.get('a number')).toBe(42)
      expect(errors.get('a plain object')).toEqual({ reason: 'plain' })
      expect(errors.get('NUL and half a surrogate in the message')).toMatchObject({
        message: 'a\u0000b\ud800',
      })
      expect(errors.get('a circular cause')).toMatchObject({
        message: 'a circle',
        cause: { message: 'its cause' },
      })
      expect(errors.get('a field that contains itself')).toMatchObject({ message: 'a field', fine: 1 })
      for (const name of ['getters that throw', 'a huge stack', 'a huge message', 'NUL in the code']) {
        expect(errors.get(name), name).toBeInstanceOf(Error)
      }
    })

    it('ends as a dead letter that says so when the output cannot be stored', async () => {
      const store = await bench.open()
      await store
        .worker([queue.handler(({ payload }) => returned[payload]!(), { retry: { maxAttempts: 5 } })])
        .start()
      const names = Object.keys(returned)
      await store.producer(queue).enqueueMany(names)
      await eventually(
        'all to be dead',
        async () => (await store.admin.metrics('strange')).dead === names.length,
      )
      for (const { payload, error, failures } of (await store.admin.dead.list()).items) {
        expect(error, String(payload)).toBeInstanceOf(TerminalError)
        expect((error as Error).message).toContain('cannot be stored')
        expect(failures).toBe(1)
      }
    })

    it('leaves the worker at work', async () => {
      const store = await bench.open()
      const handler = queue.handler(({ payload }) => {
        if (payload in thrown) throw thrown[payload]!()
        return payload
      })
      await store.worker([handler], { concurrency: 1 }).start()
      const id = await store.producer(queue).enqueueMany([...Object.keys(thrown), 'fine'])
      await eventually(
        'the last',
        async () => (await store.admin.messages.get(id.at(-1)!)).status === 'success',
      )
    })
  })
}
