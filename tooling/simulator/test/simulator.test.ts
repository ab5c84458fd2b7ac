import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { campaign } from '../src/campaign.js'
import { ownRegressions } from '../src/own-regressions.js'
import { regressions } from '../src/regressions.js'
import { sabotages, type SabotageName } from '../src/sabotage.js'
import { schedules } from '../src/schedule.js'
import { Simulator } from '../src/simulate.js'

let simulator: Simulator
beforeAll(async () => {
  simulator = await Simulator.open()
})
afterAll(() => {
  simulator.close()
})

describe('a simulation', () => {
  it('keeps every promise over some hundred schedules', { timeout: 180_000 }, async () => {
    const report = await campaign(simulator, { schedules: 300, seed: 2026 })
    expect(report.failure?.outcome.violations ?? []).toEqual([])
    expect(report.schedules).toBe(300)
    expect(report.faults).toBeGreaterThan(100)
  })

  it('gives the same events for the same schedule, whatever ran before', { timeout: 60_000 }, async () => {
    const some = fc.sample(schedules, { numRuns: 12, seed: 5 })
    const first = []
    for (const schedule of some) first.push(await simulator.run(schedule, { trace: true }))
    const second = []
    for (const schedule of some.reverse()) second.unshift(await simulator.run(schedule, { trace: true }))
    for (const [at, { trace, history }] of first.entries()) {
      expect(trace.length).toBeGreaterThan(10)
      expect(second[at]?.trace.join('\n')).toBe(trace.join('\n'))
      expect(JSON.stringify(second[at]?.history)).toBe(JSON.stringify(history))
    }
  })

  it('ends in the same way when a failure is run again by its path', { timeout: 120_000 }, async () => {
    const sabotage = 'early-timer'
    const found = await campaign(simulator, { schedules: 100, seed: 3, sabotage })
    const path = found.failure?.path ?? ''
    const again = await campaign(simulator, { schedules: 100, seed: 3, path, sabotage })
    expect(again.failure?.schedule).toEqual(found.failure?.schedule)
    expect(again.failure?.outcome.trace).toEqual(found.failure?.outcome.trace)
    expect(again.failure?.outcome.violations).toEqual(found.failure?.outcome.violations)
  })
})

describe('every schedule that has found a bug', () => {
  it.each(regressions)('passes: $bug', async ({ schedule }) => {
    const { violations } = await simulator.run(schedule)
    expect(violations).toEqual([])
  })
})

describe('every schedule that the simulator was wrong about', () => {
  it.each(ownRegressions)('passes: $bug', async ({ schedule }) => {
    const { violations } = await simulator.run(schedule)
    expect(violations).toEqual([])
  })
})

describe('a broken engine', () => {
  const seen: Record<SabotageName, RegExp> = {
    'no-fence': /only its holder ends a hold/,
    'early-timer': /nothing is claimed early/,
    'overwrite-checkpoint': /a recorded result stays/,
    'client-clock': /nothing is claimed early/,
    'requeue-at-boot': /only its holder ends a hold/,
    'ack-first': /a claim finishes nothing/,
    'worker-id-fence': /^Q9 /m,
    'split-completion': /^W13 /m,
    'durability-off': /what was acknowledged is there/,
    'ignore-step-key': /^W2 /m,
  }

  it.each(Object.keys(sabotages) as SabotageName[])('is seen: %s', { timeout: 120_000 }, async (sabotage) => {
    const said: string[] = []
    // The first that fails is enough: shrinking it takes longer than finding it.
    for (const schedule of fc.sample(schedules, { numRuns: 400, seed: 3 })) {
      said.push(...(await simulator.run(schedule, { sabotage })).violations)
      if (said.some((violation) => seen[sabotage].test(violation))) break
    }
    expect(said.join('\n')).toMatch(seen[sabotage])
  })
})
