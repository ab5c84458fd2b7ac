import { fileURLToPath } from 'node:url'
import type { Absent } from './install-on-demand.js'
import type { Machine } from './machine.js'
import type { Figure, Trialled } from './results.js'
import type { Metric } from './scenario.js'
import type { ScenarioName, StoreName, System } from './system.js'
import { nameOf, type Judged } from './targets.js'

/** A system that took part. */
export interface Participant {
  readonly name: string
  readonly configuration: System['configuration']
  readonly version: string
  readonly kind: System['kind']
  readonly note: string
}

/** Everything one run of the bench has found; what `--json` writes. */
export interface Report {
  /** ISO 8601. */
  readonly startedAt: string
  readonly minutes: number
  readonly arguments: readonly string[]
  readonly quick: boolean
  readonly rounds: number
  /** Whether every measurement was made that was asked for. */
  readonly complete: boolean
  readonly machine: Machine
  /** Versions of the databases. */
  readonly databases: readonly string[]
  readonly participants: readonly Participant[]
  readonly absent: readonly Absent[]
  readonly metrics: readonly Metric[]
  readonly figures: readonly Figure[]
  readonly targets: readonly Judged[]
  /** What was tried and gave no figure, and what could not be tried, each with the reason. */
  readonly failures: readonly Failure[]
  readonly trials: readonly Trialled[]
}

/** Why a system has no figure in a scenario. */
export interface Failure {
  readonly system: string
  readonly store: string
  readonly scenario: string
  readonly reason: string
}

/** Failures of trials and refusals of systems, each once. */
export function failuresOf(
  trials: readonly Trialled[],
  systems: readonly System[],
  stores: readonly StoreName[],
  scenarios: readonly ScenarioName[],
): Failure[] {
  const tried = trials.flatMap(({ system, configuration, store, scenario, failure }) =>
    failure === undefined
      ? []
      : [{ system: nameOf({ system, configuration }), store, scenario, reason: failure }],
  )
  const refused = systems.flatMap((system) =>
    system.stores
      .filter((store) => stores.includes(store))
      .flatMap((store) =>
        scenarios.flatMap((scenario) => {
          const answer = system.supports(scenario, store)
          if (answer === true || system.configuration === 'default' || system.name === 'limit') return []
          return [{ system: system.name, store, scenario, reason: answer }]
        }),
      ),
  )
  const all = [...tried, ...refused].map((failure) => ({ ...failure, reason: shortened(failure.reason) }))
  return [...new Map(all.map((failure) => [JSON.stringify(failure), failure])).values()]
}

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The first line, without what would fill a page and without the folders of this machine. */
function shortened(reason: string): string {
  const [line = ''] = reason.replaceAll(root, '').split('\n')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
