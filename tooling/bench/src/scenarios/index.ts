import type { Scenario } from '../scenario.js'
import type { ScenarioName } from '../system.js'
import { drainByFour, drainByOne } from './drain.js'
import { enqueueInBatches } from './enqueue-batches.js'
import { enqueueOneByOne } from './enqueue.js'
import { idle } from './idle.js'
import { memory } from './memory.js'
import { recovery } from './recovery.js'
import { runLatency } from './run-latency.js'
import { tenSteps, threeSteps, transactions } from './runs.js'
import { startLatency } from './start-latency.js'
import { tableSize } from './table-size.js'

/** Every scenario, in the order they are measured and shown. */
export const scenarios: readonly Scenario[] = [
  enqueueOneByOne,
  enqueueInBatches,
  drainByOne,
  drainByFour,
  startLatency,
  threeSteps,
  tenSteps,
  runLatency,
  transactions,
  recovery,
  idle,
  memory,
  tableSize,
]

/** What a quick run does last, should its time be over: no target looks at it, or it takes long. */
const lastWhenQuick: readonly Scenario[] = [tenSteps, drainByFour, transactions, memory, tableSize]

/** The scenarios of these names, in the order in which they are measured. */
export function scenariosFor(names: readonly ScenarioName[], quick: boolean): Scenario[] {
  const wanted = scenarios.filter(({ name }) => names.includes(name))
  const isLast = (scenario: Scenario): boolean => quick && lastWhenQuick.includes(scenario)
  return [...wanted.filter((scenario) => !isLast(scenario)), ...wanted.filter(isLast)]
}
