import { describe, expect, it } from 'vitest'
import { isHopeless } from '../src/hopeless.js'
import type { Trialled } from '../src/results.js'

/** A trial of D on Postgres in the first round. */
function trial(system: string, d: number | undefined, more: Partial<Trialled> = {}): Trialled {
  return {
    system,
    configuration: 'best',
    store: 'postgres',
    scenario: 'D',
    round: 1,
    seconds: 1,
    ...(d === undefined ? { failure: 'no answer' } : { measured: { values: { D: d } } }),
    ...more,
  }
}

describe('who is not measured again', () => {
  const first = [
    trial('pgqrs', 900_000),
    trial('fast', 30_000),
    trial('slow', 14_999),
    trial('middling', 15_000),
    trial('broken', undefined),
    trial('fast', 100, { configuration: 'default' }),
  ]
  const hopeless = (name: string, configuration: 'best' | 'default' = 'best'): boolean =>
    isHopeless(first, { name, configuration }, 'D', 'postgres')

  it('is who failed, or is at less than half of the best rival, in that configuration', () => {
    expect(['fast', 'slow', 'middling', 'broken', 'unknown'].filter((name) => hopeless(name))).toEqual([
      'slow',
      'broken',
    ])
    expect(hopeless('fast', 'default')).toBe(true)
  })

  it('is never one of our own, nor one that has not been measured there', () => {
    expect(
      isHopeless([...first, trial('limit', 1)], { name: 'limit', configuration: 'best' }, 'D', 'postgres'),
    ).toBe(false)
    expect(isHopeless(first, { name: 'slow', configuration: 'best' }, 'D', 'sqlite')).toBe(false)
    expect(isHopeless(first, { name: 'slow', configuration: 'best' }, 'E1', 'postgres')).toBe(false)
  })

  it('goes by the median where times are measured', () => {
    const waits = (system: string, ...ms: number[]): Trialled =>
      trial(system, 0, { scenario: 'L', measured: { values: {}, samples: { L: ms } } })
    const found = [waits('prompt', 1, 2, 900), waits('middling', 4), waits('late', 5)]
    const late = ['prompt', 'middling', 'late'].filter((name) =>
      isHopeless(found, { name, configuration: 'best' }, 'L', 'postgres'),
    )
    expect(late).toEqual(['late'])
  })

  it('is who takes longer where one time is measured', () => {
    const recovers = (system: string, s: number): Trialled =>
      trial(system, 0, { scenario: 'R', measured: { values: { R: s } } })
    const found = [recovers('prompt', 1), recovers('middling', 2), recovers('late', 30)]
    const late = ['prompt', 'middling', 'late'].filter((name) =>
      isHopeless(found, { name, configuration: 'best' }, 'R', 'postgres'),
    )
    expect(late).toEqual(['late'])
  })
})
