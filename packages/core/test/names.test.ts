import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, InvalidArgumentError } from '../src/errors.js'
import {
  checkKey,
  checkKeys,
  checkName,
  checkSchema,
  checkStepPath,
  display,
  nearest,
  suggestion,
  withoutSecrets,
} from '../src/names.js'

describe('a name', () => {
  it('is what it was, or is refused: never something else', () => {
    const check = fc.property(fc.string({ unit: 'binary' }), (text) => {
      const allowed = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,199}$/.test(text)
      if (allowed) expect(checkName('queue', text)).toBe(text)
      else expect(() => checkName('queue', text)).toThrow(InvalidArgumentError)
    })
    fc.assert(check, {
      seed: 20_260_101,
      numRuns: 1000,
      examples: [['a\n'], ['x'.repeat(200)], ['x'.repeat(201)], ['__proto__'], ['']],
    })
  })

  it('of a step holds no slash, which parts its scopes', () => {
    expect(checkName('queue', 'a/b')).toBe('a/b')
    expect(() => checkName('step', 'a/b')).toThrow(/^"a\/b" is not a step name: [^/]*$/)
  })

  it('of a schema is one that needs no quotes', () => {
    for (const schema of ['app', '_', 'a1_b', 'x'.repeat(48)]) expect(checkSchema(schema)).toBe(schema)
    for (const schema of [
      '',
      'App',
      '1a',
      'a-b',
      'a.b',
      'a"b',
      '"; drop table x; --',
      'x'.repeat(49),
      'ä',
      'a\n',
      null,
      5,
    ]) {
      expect(() => checkSchema(schema as never)).toThrow(InvalidArgumentError)
    }
  })
})

describe('a key', () => {
  it('is text that every database keeps as it is', () => {
    const check = fc.property(fc.string({ unit: 'binary' }), (text) => {
      const size = Buffer.byteLength(text)
      const allowed =
        size > 0 && size <= 600 && !/\p{Cc}/u.test(text.replace(/[\x80-\x9f]/g, '')) && text.isWellFormed()
      if (allowed) expect(checkKey('message', text)).toBe(text)
      else expect(() => checkKey('message', text)).toThrow(InvalidArgumentError)
    })
    fc.assert(check, {
      seed: 20_260_101,
      numRuns: 1000,
      examples: [['\ud800'], ['é'.repeat(300)], ['é'.repeat(300) + 'x'], ['\x7f']],
    })
  })

  it('and the path of a step are counted in bytes', () => {
    expect(checkStepPath('€'.repeat(666))).toHaveLength(666)
    expect(() => checkStepPath('€'.repeat(667))).toThrow(/1 to 2000 bytes/)
  })
})

describe('display', () => {
  it.each([
    ['a text', '"a text"'],
    ['a\n\x1b[2J"', String.raw`"a\n\u001b[2J\""`],
    ['x'.repeat(100), `"${'x'.repeat(57)}…"`],
    [5, '5'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('x'), 'Symbol(x)'],
    [5n, '5'],
    [2n ** 400n, `${String(2n ** 400n).slice(0, 57)}…`],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [[1, 2], 'an array'],
    [() => 1, 'a function'],
    [new Date(Number.NaN), 'a Date'],
  ])('shows %o', (value, shown) => {
    expect(display(value)).toBe(shown)
  })

  it.each([
    'postgres://user:p4ssw0rd@host/app',
    'postgres://user:p4ss:w0rd/p4ssw0rd@host/app',
    'postgres://user:p4ssw0rd@p4ssw0rd@host/app',
    `postgres://user:${'p4ssw0rd'.repeat(20)}@host/app`,
    'user:p4ssw0rd@host/app',
    'libsql://host?authToken=p4ssw0rd&tls=1',
    'postgres://host/app?user=me&password=p4ssw0rd',
  ])('and withoutSecrets hide what is secret in %s', (address) => {
    expect(display(address)).not.toContain('p4ss')
    expect(withoutSecrets(`cannot reach ${address} today`)).toMatch(/^cannot reach (?!.*p4ss).*host.* today$/)
  })
})

describe('nearest', () => {
  const known = ['delay', 'priority', 'key', 'onConflict']

  it.each([
    ['dealy', 'delay'],
    ['DELAY', 'delay'],
    ['prio', undefined],
    ['prioritty', 'priority'],
    ['kee', 'key'],
    ['onconflict', 'onConflict'],
    ['onConflicts', 'onConflict'],
    ['transaction', undefined],
    ['', undefined],
  ])('finds for %o: %o', (name, found) => {
    expect(nearest(name, known)).toBe(found)
  })

  it('is offered as a question, or not at all', () => {
    expect(suggestion('dealy', known)).toBe(' Did you mean "delay"?')
    expect(suggestion('zzzzzzz', known)).toBe('')
    expect(suggestion('delay', [])).toBe('')
  })
})

describe('checkKeys', () => {
  it('refuses unknown keys and what is no object', () => {
    checkKeys({ delay: 1 }, ['delay'], 'enqueue')
    checkKeys({}, ['delay'], 'enqueue')
    const problem = 'enqueue: unknown option "dealy". Did you mean "delay"?'
    expect(() => checkKeys({ dealy: 1 }, ['delay'], 'enqueue')).toThrow(new ConfigError(problem))
    expect(() => checkKeys(JSON.parse('{"__proto__":1}') as object, ['delay'], 'enqueue')).toThrow(
      ConfigError,
    )
    for (const options of [null, undefined, 5, 'delay', ['delay'], () => 1]) {
      expect(() => checkKeys(options as never, ['delay'], 'enqueue')).toThrow(InvalidArgumentError)
    }
  })
})
