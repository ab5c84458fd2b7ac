import assert from 'node:assert/strict'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode } from '../src/codec/decode.js'
import { encode } from '../src/codec/encode.js'
import { defaultLimits } from '../src/codec/limits.js'
import { PayloadError, SerializationError } from '../src/errors.js'

// The same values in every run, so that the gate gives the same answer twice.
const SEEDED = { seed: 20_260_101 }

// Every kind of value the codec knows and several it does not, nested in each other.
const anything = fc.anything({
  withBigInt: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withBoxedValues: true,
  stringUnit: 'binary',
  key: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      '',
      '$date',
      '$object',
      '$bare',
      '$map',
      '$undefined',
    ),
  ),
  values: [
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(undefined, null, -0, '\ud800', '\0', '$date', Number.NaN, Infinity),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ],
})

describe('decode(encode(value))', () => {
  it('is the very same value, prototypes and all, or encode refuses it with a path', () => {
    let carried = 0
    let refused = 0
    const check = fc.property(anything, (value) => {
      let text: string
      try {
        text = encode(value)
      } catch (error) {
        assert.ok(error instanceof SerializationError || error instanceof PayloadError, String(error))
        if (error instanceof SerializationError) assert.match(error.path, /^\$/)
        refused++
        return
      }
      assert.deepEqual(decode(text), value)
      carried++
    })
    fc.assert(check, { ...SEEDED, numRuns: 5000 })
    expect(carried).toBeGreaterThan(1000)
    expect(refused).toBeGreaterThan(100)
  })

  it('is the same text again when it is encoded again', () => {
    const check = fc.property(fc.jsonValue(), (value) => {
      expect(encode(decode(encode(value)))).toBe(encode(value))
    })
    fc.assert(check, SEEDED)
  })
})

describe('encode', () => {
  it('writes plain values as plain JSON, so that people can read them in the database', () => {
    // Parsed once: JSON has no minus zero.
    const plain = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown)
    const check = fc.property(plain, (value) => {
      fc.pre(!JSON.stringify(value).includes('"$'))
      expect(encode(value)).toBe(JSON.stringify(value))
    })
    fc.assert(check, SEEDED)
  })

  it('writes only ASCII where databases differ: no NUL, no lone surrogate', () => {
    expect(encode({ '\0': '\ud800' })).toBe('{"\\u0000":"\\ud800"}')
  })

  it('gives up a value that repeats itself at each level before it fills the memory', () => {
    let value: unknown = 'x'
    for (let i = 0; i < 60; i++) value = [value, value]
    expect(() => encode(value)).toThrow(/more than 1048576 bytes.*maxBytes/)
  })

  it('refuses a value that no text could hold', () => {
    const limits = { ...defaultLimits, maxBytes: 100 }
    for (const value of [
      'x'.repeat(99),
      Buffer.alloc(101),
      { ['k'.repeat(100)]: 1 },
      new Array(101).fill(1),
    ]) {
      expect(() => encode(value, limits)).toThrow(PayloadError)
    }
    expect(encode('x'.repeat(98), limits)).toHaveLength(100)
  })

  it('names the path in one short line, whatever the keys are', () => {
    const value = { 'a\nb': { ['\x1b[2J'.repeat(1000)]: () => 1 } }
    expect(() => encode(value)).toThrow(/^\$\.a\\nb\.[^\p{Cc}]{100,700}: a function cannot be stored\.$/u)
  })

  it('keeps the reason when reading the value fails', () => {
    const reason = new Error('no')
    const proxy = new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw reason
        },
      },
    )
    for (const value of [
      { a: proxy },
      {
        a: {
          get b(): never {
            throw reason
          },
        },
      },
    ]) {
      expect(() => encode(value)).toThrow(
        expect.objectContaining({ code: 'UNSERIALIZABLE', path: '$.a', cause: reason }),
      )
    }
  })

  it('refuses an object of another realm rather than to give back one of ours', () => {
    expect(() => encode(runInNewContext('({ a: 1 })'))).toThrow(SerializationError)
  })
})

describe('decode', () => {
  it.each([
    'no json',
    '',
    '{"$nobody":1}',
    '{"$bigint":"five"}',
    '{"$bigint":{}}',
    '{"$map":5}',
    '{"$map":[5]}',
    '{"$set":{}}',
    '{"$bare":null}',
    '{"$object":null}',
    '{"$bytes":5}',
    '{"$buffer":null}',
    `${'{"$set":['.repeat(20_000)}${']}'.repeat(20_000)}`,
  ])('refuses what encode does not write: %s', (text) => {
    expect(() => decode(text)).toThrow(SerializationError)
  })

  it('changes no prototype, whatever the text says', () => {
    const texts = [
      '{"__proto__":{"polluted":true},"a":{"$date":"2030-01-01T00:00:00.000Z"}}',
      '{"$object":{"__proto__":{"polluted":true}}}',
      '{"$bare":{"__proto__":{"polluted":true}}}',
      '{"constructor":{"prototype":{"polluted":true}},"b":{"$undefined":true}}',
      '{"$map":[["__proto__",{"__proto__":{"polluted":true}}]]}',
    ]
    for (const text of texts) {
      const value = decode(text)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      expect((value as { polluted?: unknown }).polluted).toBeUndefined()
    }
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})
