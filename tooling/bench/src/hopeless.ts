import type { Trialled } from './results.js'
import type { ScenarioName, StoreName, System } from './system.js'
import { ownNames } from './systems.js'

// Whoever is this far behind the best of the rivals stays behind it, whatever another round says.
const TIMES_BEHIND = 10

/**
 * Whether a rival need not be measured again: its first round failed, or came out ten times below the best rival's, so
 * that no target depends on it. The time goes to those it does depend on.
 */
export function isHopeless(
  sofar: readonly Trialled[],
  { name, configuration }: Pick<System, 'name' | 'configuration'>,
  scenario: ScenarioName,
  store: StoreName,
): boolean {
  if (ownNames.includes(name)) return false
  const rivals = sofar.filter(
    (trial) => trial.scenario === scenario && trial.store === store && !ownNames.includes(trial.system),
  )
  const mine = rivals.filter((trial) => trial.system === name && trial.configuration === configuration)
  if (mine.length === 0) return false
  const rates = mine.flatMap(({ measured }) => measured?.values[scenario] ?? [])
  const failed = mine.every(({ failure }) => failure !== undefined)
  // What is only waited for has samples and no rate, and takes no time of its own.
  if (rates.length === 0) return failed
  const best = Math.max(...rivals.map(({ measured }) => measured?.values[scenario] ?? 0))
  return Math.max(...rates) * TIMES_BEHIND < best
}
