import { describe, expect, it } from 'vitest'
import { encodeError, fromErrorRecord, parseErrorRecord } from '../src/codec/error-record.js'
import * as errors from '../src/errors.js'

const brought = (thrown: unknown, classes: readonly (new (...args: never[]) => Error)[] = []): unknown =>
  fromErrorRecord(parseErrorRecord(encodeError(thrown)), classes)

class PaymentDeclined extends Error {
  override readonly name = 'PaymentDeclined'
  constructor(
    message: string,
    readonly code: string,
    readonly details: { at: Date; amounts: bigint[] },
  ) {
    super(message)
    if (details.amounts.length === 0) throw new Error('the constructor ran')
  }
}

describe('an error that was recorded', () => {
  it('is of the same class, with name, message, code, stack and fields', () => {
    const thrown = new PaymentDeclined('no money', 'E42', { at: new Date(5), amounts: [1n] })
    const error = brought(thrown, [PaymentDeclined]) as PaymentDeclined
    expect(error).toBeInstanceOf(PaymentDeclined)
    expect(error).toMatchObject({ name: 'PaymentDeclined', message: 'no money', code: 'E42' })
    expect(error.details).toStrictEqual(thrown.details)
    expect(error.stack).toBe(thrown.stack)
    expect(Object.keys(error)).toEqual(expect.arrayContaining(['code', 'details']))
    expect(Object.keys(error)).not.toContain('stack')
  })

  it('is an Error with the name of its class when the class is not known', () => {
    const error = brought(new PaymentDeclined('no money', 'E42', { at: new Date(5), amounts: [1n] }))
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype)
    expect(error).toMatchObject({ name: 'PaymentDeclined', message: 'no money', code: 'E42' })
    expect(String(error)).toBe('PaymentDeclined: no money')
  })

  it.each([Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError])(
    'is a %o again when it was one',
    (Class) => {
      const error = brought(new Class('m'))
      expect(Object.getPrototypeOf(error)).toBe(Class.prototype)
      expect(error).toMatchObject({ name: Class.name, message: 'm' })
    },
  )

  it('is an error of pgqrs again when it was one, with its fields', () => {
    const thrown = [
      new errors.LeaseLostError('lost', 'the-id'),
      new errors.SchemaVersionError('old', 1, 2),
      new errors.SerializationError('$.a', 'what'),
      new errors.TransientError('later', { retryAfter: '5m' }),
      new errors.TerminalError('never', { code: 'MINE' }),
      new errors.RateLimitedError('slow', Infinity),
    ]
    for (const one of thrown) {
      const error = brought(one) as errors.PgqrsError
      expect(Object.getPrototypeOf(error)).toBe(Object.getPrototypeOf(one))
      expect(error).toMatchObject(Object.fromEntries(Object.entries(one)))
      expect(error.message).toBe(one.message)
      expect(error.stack).toBe(one.stack)
    }
  })

  it('keeps a code of the system and its causes, five deep', () => {
    let thrown = Object.assign(new Error('level 0'), { code: 0, errno: -2 })
    for (let i = 1; i < 10; i++)
      thrown = Object.assign(new Error(`level ${i}`, { cause: thrown }), { code: i, errno: i })
    const messages: string[] = []
    for (let error = brought(thrown) as Error | undefined; error; error = error.cause as Error | undefined) {
      messages.push(error.message)
    }
    expect(messages).toEqual(['level 9', 'level 8', 'level 7', 'level 6', 'level 5', 'level 4'])
    expect(brought(Object.assign(new Error('x'), { code: 'ENOENT' }))).toMatchObject({ code: 'ENOENT' })
  })

  it.each([['a text'], [5], [null], [undefined], [{ a: new Date(1) }], [[1n]], [new Map([[1, 2]])]])(
    'is the value itself when it was no error: %o',
    (thrown) => {
      expect(brought(thrown)).toStrictEqual(thrown)
    },
  )
})

describe('whatever is thrown', () => {
  function cyclic(): Error {
    const error: Error & { self?: unknown } = new Error('cyclic')
    error.self = error
    error.cause = error
    return error
  }
  function withGettersThatThrow(): Error {
    const error = new Error('m')
    for (const key of ['stack', 'message', 'name', 'code', 'cause', 'details']) {
      const get = (): never => {
        throw new Error(`no ${key}`)
      }
      Object.defineProperty(error, key, { enumerable: true, get })
    }
    return error
  }
  function revoked(): unknown {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const withFields = (fields: object): Error => Object.assign(new Error('m'), fields)
  // Made in the test: vitest looks at what stands in a table.
  const nasties: readonly (readonly [what: string, make: () => unknown])[] = [
    ['a cycle', cyclic],
    ['getters that throw', withGettersThatThrow],
    ['a revoked proxy', revoked],
    ['a function', () => () => 1],
    ['a symbol', () => Symbol('x')],
    ['no prototype', () => Object.create(null) as unknown],
    ['a text of its own that is none', () => ({ toString: 5 })],
    ['a huge message', () => new Error('x'.repeat(10_000_000))],
    ['a huge stack', () => withFields({ stack: 'x'.repeat(10_000_000) })],
    ['a huge name', () => withFields({ name: 'n'.repeat(1_000_000) })],
    ['a huge code', () => withFields({ code: 'c'.repeat(1_000_000) })],
    ['huge fields', () => withFields({ body: 'x'.repeat(10_000_000), status: 500 })],
    ['a huge text', () => 'x'.repeat(10_000_000)],
    ['a huge object', () => ({ list: new Array(1_000_000).fill('x') })],
    ['NUL and lone surrogates', () => new Error('a\0b\ud800')],
    ['a message that is no text', () => withFields({ message: { toString: 5 } })],
    ['a name that is no text', () => withFields({ name: Symbol('x') })],
    ['no constructor', () => withFields({ constructor: null })],
    ['a class with a huge name', () => withFields({ constructor: { name: 'x'.repeat(1_000_000) } })],
    ['fields with dangerous names', () => withFields(JSON.parse('{"__proto__":{"a":1},"x":1}') as object)],
  ]

  it.each(nasties)('can be recorded in a bounded text without NUL, and brought back: %s', (_what, make) => {
    const text = encodeError(make(), 'step')
    expect(text.length).toBeLessThan(400_000)
    expect(text).not.toMatch(/[\0\ud800-\udfff]/)
    const record = parseErrorRecord(text)
    expect(record).toMatchObject({ message: expect.any(String), name: expect.any(String), step: 'step' })
    fromErrorRecord(record)
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })

  it('keeps NUL and lone surrogates of a message', () => {
    expect(brought(new Error('a\0b\ud800'))).toMatchObject({ message: 'a\0b\ud800' })
  })

  it('keeps the fields that fit when others cannot be stored', () => {
    const thrown = Object.assign(new Error('m'), {
      request: () => 1,
      status: 500,
      socket: new URL('http://h'),
    })
    expect(brought(thrown)).toMatchObject({ status: 500 })
    expect(brought(thrown)).not.toHaveProperty('request')
  })
})
