import { describe, expect, it } from 'vitest'
import { scenarios, scenariosFor } from '../src/scenarios/index.js'
import { scenarioNames } from '../src/system.js'
import { targets } from '../src/targets.js'

const metrics = scenarios.flatMap((scenario) => scenario.metrics.map(({ name }) => name))

describe('the scenarios', () => {
  it('are those of the command line', () => {
    expect([...new Set(scenarios.map(({ name }) => name))].sort()).toEqual([...scenarioNames].sort())
  })

  it('have metrics whose names are theirs alone', () => {
    expect(metrics).toHaveLength(new Set(metrics).size)
    for (const { name, metrics: own } of scenarios) {
      for (const metric of own) expect(metric.name.split(' ')[0]).toBe(name)
    }
  })

  it('measure what every target is about', () => {
    const needed = targets.flatMap(({ metric, against }) =>
      typeof against === 'object' ? [metric, against.metric] : [metric],
    )
    expect(needed.filter((name) => !metrics.includes(name))).toEqual([])
  })

  it('are all measured in a quick run, too', () => {
    expect(new Set(scenariosFor(scenarioNames, true))).toEqual(new Set(scenarios))
    expect(scenariosFor(['I', 'E1'], false).map(({ name }) => name)).toEqual(['E1', 'I', 'I'])
  })
})
