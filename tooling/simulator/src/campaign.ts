import type { Report as CheckReport } from '@pgqrs/checker'
import fc from 'fast-check'
import { emptySum } from './checked.js'
import { schedules, type Schedule } from './schedule.js'
import type { Outcome, SimulateOptions, Simulator } from './simulate.js'

/** What to run. */
export interface CampaignOptions extends SimulateOptions {
  readonly schedules: number
  readonly seed: number
  /** Runs this one schedule of the seed, as a failure has named it. */
  readonly path?: string
  /** Told after each schedule. */
  readonly onOutcome?: (outcome: Outcome) => void
}

/** The smallest schedule that still fails, and how to have it again. */
export interface Failure {
  readonly schedule: Schedule
  readonly path: string
  readonly shrinks: number
  readonly outcome: Outcome
}

/** Counters of a campaign. */
export interface Report {
  readonly schedules: number
  readonly calls: number
  readonly events: number
  readonly virtualMs: number
  readonly faults: number
  /** What the checker's invariants looked at. */
  readonly invariants: CheckReport
  readonly failure: Failure | undefined
}

class Violated extends Error {}

// Smaller schedules that are tried; the last ones make little difference and take as long as the first.
const SHRINKING_TRIES = 800

/** Runs many schedules by seed, and shrinks the first that fails. */
export async function campaign(simulator: Simulator, options: CampaignOptions): Promise<Report> {
  const { schedules: numRuns, seed, path, onOutcome, sabotage } = options
  const how: SimulateOptions = sabotage === undefined ? {} : { sabotage }
  const sum = emptySum(seed)
  const counters = { schedules: 0, calls: 0, events: 0, virtualMs: 0, faults: 0 }
  let failing = false
  let tries = 0
  const property = fc.asyncProperty(schedules, async (schedule) => {
    if (failing && ++tries > SHRINKING_TRIES) return
    const outcome = await simulator.run(schedule, failing ? how : { ...how, sum })
    if (!failing) {
      counters.schedules++
      counters.calls += outcome.calls
      counters.events += outcome.events
      counters.virtualMs += outcome.virtualMs
      counters.faults += outcome.faults
      onOutcome?.(outcome)
    }
    if (outcome.violations.length === 0) return
    failing = true
    throw new Violated(outcome.violations.join('\n'))
  })
  const details = await fc.check(property, { numRuns, seed, ...(path === undefined ? {} : { path }) })
  if (!details.failed) return { ...counters, invariants: sum.report, failure: undefined }
  if (details.counterexample === null || !(details.errorInstance instanceof Violated))
    throw details.errorInstance
  const [schedule] = details.counterexample
  const outcome = await simulator.run(schedule, { ...how, trace: true })
  return {
    ...counters,
    invariants: sum.report,
    failure: { schedule, path: details.counterexamplePath, shrinks: details.numShrinks, outcome },
  }
}
