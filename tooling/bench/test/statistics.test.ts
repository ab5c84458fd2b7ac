import { describe, expect, it } from 'vitest'
import { readable } from '../src/numbers.js'
import { median, percentile, spreadOf } from '../src/statistics.js'

describe('statistics', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[7], 7],
    // As numbers, and not as text.
    [[10, 9, 100], 10],
  ])('median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
  })

  it('nothing has no median', () => {
    expect(median([])).toBeNaN()
    expect(percentile([], 0.5)).toBeNaN()
  })

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('percentile %d of 1 to 100 is %d', (p, expected) => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(percentile(values, p)).toBe(expected)
  })

  it('does not change what it is given', () => {
    const values = [3, 1, 2]
    spreadOf(values)
    median(values)
    expect(values).toEqual([3, 1, 2])
  })

  it('a spread has the middle and the ends', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, rounds: 3 })
  })
})

describe('readable numbers', () => {
  it.each([
    [0, '0'],
    [12_345.6, '12,300'],
    [999.6, '1,000'],
    [4.5678, '4.57'],
    [0.078_12, '0.0781'],
    [0.000_012_3, '0.0000123'],
    [NaN, '–'],
    [Infinity, '–'],
  ])('%d is %s', (value, text) => {
    expect(readable(value)).toBe(text)
  })
})
