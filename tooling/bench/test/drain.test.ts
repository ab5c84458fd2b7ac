import { describe, expect, it } from 'vitest'
import { warmedUp } from '../src/scenarios/drain.js'

const starts = (...pairs: [started: number, atMs: number][]) =>
  pairs.map(([started, atMs]) => ({ started, atMs }))

describe('the end of the warm-up', () => {
  it('is when all processes together have started enough', () => {
    const first = starts([1, 10], [101, 20], [201, 40])
    const second = starts([1, 15], [101, 30])
    expect(warmedUp([first, second], 200)).toEqual({ started: 202, atMs: 30 })
    expect(warmedUp([first], 200)).toEqual({ started: 201, atMs: 40 })
  })

  it('is the first start when they never did', () => {
    expect(warmedUp([starts([1, 30]), starts([1, 20])], 200)).toEqual({ started: 0, atMs: 20 })
  })

  it('is nowhere when nothing has started', () => {
    expect(warmedUp([[], []], 200)).toBeUndefined()
  })
})
