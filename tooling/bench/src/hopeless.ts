import type { Trialled } from './results.js'
import { median } from './statistics.js'
import type { ScenarioName, StoreName, System } from './system.js'
import { ownNames } from './systems.js'

// Whoever is this far behind the best of the rivals stays behind it, whatever another round says.
const TIMES_BEHIND = 2

/**
 * Whether a rival need not be measured again: its first round failed, or came to less than half of the best rival's, so
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
  return Math.max(...mine.map(paceOf)) * TIMES_BEHIND < Math.max(...rivals.map(paceOf)) || mine.every(failed)
}

/** Greater is better; 0 for what has failed. What is measured in time is better the shorter it is. */
function paceOf({ measured, scenario }: Trialled): number {
  const samples = measured?.samples?.[scenario] ?? []
  if (samples.length > 0) return 1 / median(samples)
  const value = measured?.values[scenario] ?? 0
  return scenario === 'R' && value > 0 ? 1 / value : value
}

function failed({ failure }: Trialled): boolean {
  return failure !== undefined
}
