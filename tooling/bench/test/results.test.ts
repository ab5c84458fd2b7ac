import { describe, expect, it } from 'vitest'
import { figuresOf, type Trialled } from '../src/results.js'
import type { Measured, Metric } from '../src/scenario.js'

const metric = (name: string): Metric => ({ name, title: name, unit: 'x', better: 'higher' })

function trial(round: number, measured: Measured | undefined, system = 'pgqrs'): Trialled {
  const who = { system, configuration: 'best', store: 'postgres', scenario: 'E1', round, seconds: 1 } as const
  return measured === undefined ? { ...who, failure: 'it broke' } : { ...who, measured }
}

describe('figures over rounds', () => {
  it('are medians with the ends, and medians of what it cost', () => {
    const cost = (clientCpuMs: number) => ({ clientCpuMs, serverCpuMs: undefined, bytes: 10 })
    const [figure] = figuresOf(
      [
        trial(1, { values: { E1: 10 }, cost: cost(1) }),
        trial(2, { values: { E1: 30 }, cost: cost(5) }),
        trial(3, { values: { E1: 20 }, cost: cost(2) }),
      ],
      [metric('E1')],
    )
    expect(figure?.spread).toEqual({ median: 20, min: 10, max: 30, rounds: 3 })
    expect(figure?.cost).toEqual({ clientCpuMs: 2, serverCpuMs: undefined, bytes: 10 })
  })

  it('leave out rounds that failed, and systems of which all failed', () => {
    const trials = [trial(1, { values: { E1: 10 } }), trial(2, undefined), trial(1, undefined, 'rabbit')]
    const figures = figuresOf(trials, [metric('E1')])
    expect(figures.map(({ system, spread }) => [system, spread.rounds])).toEqual([['pgqrs', 1]])
  })

  it('have percentiles over the samples of all rounds', () => {
    const trials = [
      trial(1, { values: {}, samples: { 'L apart': [1, 2, 3] } }),
      trial(2, { values: {}, samples: { 'L apart': [10, 20, 30] } }),
    ]
    const figures = figuresOf(trials, [metric('L apart p50'), metric('L apart p99'), metric('L p50')])
    expect(figures.map(({ metric: name, spread }) => [name, spread])).toEqual([
      ['L apart p50', { median: 3, min: 2, max: 20, rounds: 2 }],
      ['L apart p99', { median: 30, min: 3, max: 30, rounds: 2 }],
    ])
  })

  it('say each remark once', () => {
    const remarked = (remark: string): Measured => ({ values: { E1: 1 }, remark })
    const [figure] = figuresOf(
      [trial(1, remarked('a')), trial(2, remarked('a')), trial(3, remarked('b'))],
      [metric('E1')],
    )
    expect(figure?.remarks).toEqual(['a', 'b'])
  })
})
