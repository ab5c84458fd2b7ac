import { describe, expect, it } from 'vitest'
import { toCount, toMs } from '../src/duration.js'
import { InvalidArgumentError } from '../src/errors.js'

describe('a duration', () => {
  it.each([
    [0, 0],
    [1.5, 1.5],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['5m', 300_000],
    ['5 minutes', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['1y', 31_557_600_000],
    ['1H', 3_600_000],
    ['0s', 0],
    ['0.0 ms', 0],
    ['00m', 0],
    ['1000y', 31_557_600_000_000],
  ])('of %o has %d milliseconds', (duration, ms) => {
    expect(toMs(duration, 'lease')).toBe(ms)
  })

  it.each([
    ...[
      -1,
      Number.NaN,
      Infinity,
      -Infinity,
      1e15,
      '-1s',
      '30',
      '1.5',
      '',
      ' ',
      's',
      '5 parsecs',
      '0 parsecs',
      '5s 3m',
    ],
    ...[
      '1001y',
      '1e3s',
      '٣s',
      '1s\n',
      `${'9'.repeat(100_000)}s`,
      null,
      undefined,
      {},
      [],
      ['5s'],
      true,
      5n,
      Symbol('5s'),
    ],
    ...[Object.create(null), { toString: () => '5s' }, new Date(5)],
  ])('is refused by name, with an example: %o', (value) => {
    const problem = /^lease must be a duration: .*'30s'.*Got .{1,70}\.$/
    expect(() => toMs(value as never, 'lease')).toThrow(InvalidArgumentError)
    expect(() => toMs(value as never, 'lease')).toThrow(problem)
  })

  it('may have to be of some length', () => {
    expect(toMs('100ms', 'lease', 100)).toBe(100)
    expect(() => toMs('99ms', 'lease', 100)).toThrow(/^lease must be a duration of at least 100 ms/)
  })
})

describe('a count', () => {
  it('is a whole number within its limits', () => {
    expect(toCount(0, 'limit', 0)).toBe(0)
    expect(toCount(1000, 'limit', 1, 1000)).toBe(1000)
  })

  it.each([
    0,
    1001,
    1.5,
    Number.NaN,
    Infinity,
    '5',
    5n,
    null,
    undefined,
    {},
    Object.create(null),
    Symbol('5'),
  ])('is refused by name, with its limits: %o', (value) => {
    expect(() => toCount(value as never, 'limit', 1, 1000)).toThrow(InvalidArgumentError)
    expect(() => toCount(value as never, 'limit', 1, 1000)).toThrow(
      /^limit must be a whole number from 1 to 1000\. Got /,
    )
  })
})
