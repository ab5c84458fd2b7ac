import { inspect } from 'node:util'
import { isHopeless } from './hopeless.js'
import type { Databases } from './databases.js'
import type { Options } from './options.js'
import type { Trialled } from './results.js'
import { Trial, type Scenario } from './scenario.js'
import type { BenchDatabase, System } from './system.js'
import { Meeting } from './meeting.js'
import { Templates } from './templates.js'
import { Turns } from './turns.js'

/** What a run is made of. */
export interface Plan {
  readonly options: Options
  readonly systems: readonly System[]
  readonly scenarios: readonly Scenario[]
  readonly databases: readonly Databases[]
  /** Told of every result as it comes. */
  readonly onResult: (result: Trialled) => void
  /** Monotonic ms after which no round begins another measurement. */
  readonly deadlineMs: number
  /** Aborts between two measurements. */
  readonly signal: AbortSignal
}

/** How many may wait side by side. */
const sideBySide = 16

/** One measurement that is to be made. */
interface Task {
  readonly system: System
  readonly scenario: Scenario
  readonly databases: Databases
  readonly round: number
}

/** What came of it. */
export interface Outcome {
  readonly trials: readonly Trialled[]
  /** False when the time was over, or it was interrupted. */
  readonly complete: boolean
}

/** Makes every measurement: round by round, in each of them scenario by scenario, in each of them system by system. */
export async function runAll(plan: Plan): Promise<Outcome> {
  const trials: Trialled[] = []
  const templates = new Templates()
  for (let round = 1; round <= plan.options.rounds; round++) {
    for (const scenario of plan.scenarios) {
      if (scenario.rounds === 'once' && round > 1) continue
      for (const group of groupsOf(plan, scenario, round, trials)) {
        if (plan.signal.aborted || performance.now() > plan.deadlineMs) return { trials, complete: false }
        const meeting = new Meeting(group.length)
        const turns = new Turns(scenario.atOnce ?? 1)
        const found = await Promise.all(
          group.map((task) => trial(task, templates, plan.options.quick, meeting, turns)),
        )
        for (const result of found) {
          trials.push(result)
          plan.onResult(result)
        }
      }
    }
  }
  return { trials, complete: true }
}

/** What is measured at the same time: one system, unless the scenario only waits. */
function groupsOf(plan: Plan, scenario: Scenario, round: number, sofar: readonly Trialled[]): Task[][] {
  const tasks = plan.databases.flatMap((databases) =>
    tasksOf(plan, scenario, databases, round).filter(
      ({ system }) =>
        !isHopeless(sofar, system, scenario.name, databases.store) &&
        !isHopeless(sofar, system, scenario.notHopelessIn ?? scenario.name, databases.store),
    ),
  )
  const width = scenario.together === true ? sideBySide : 1
  return Array.from({ length: Math.ceil(tasks.length / width) }, (_, i) =>
    tasks.slice(i * width, (i + 1) * width),
  )
}

/** No target looks at what comes out of the box, so one round of it must do. */
function tasksOf(plan: Plan, scenario: Scenario, databases: Databases, round: number): Task[] {
  const able = plan.systems.filter(
    (system) =>
      (system.configuration === 'best' ||
        (round === 1 && !plan.options.quick && scenario.outOfTheBox !== false)) &&
      system.stores.includes(databases.store) &&
      system.supports(scenario.name, databases.store) === true,
  )
  // Not always the same one goes first.
  const turn = round % Math.max(1, able.length)
  return [...able.slice(turn), ...able.slice(0, turn)].map((system) => ({
    system,
    scenario,
    databases,
    round,
  }))
}

async function trial(
  task: Task,
  templates: Templates,
  quick: boolean,
  meeting: Meeting,
  turns: Turns,
): Promise<Trialled> {
  const together = meeting.guest()
  const { system, scenario, databases, round } = task
  const who = {
    system: system.name,
    configuration: system.configuration,
    store: databases.store,
    scenario: scenario.name,
    round,
  }
  const began = performance.now()
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10
  let database: BenchDatabase | undefined
  let running: Trial | undefined
  try {
    const refusal = scenario.refuses?.(system)
    if (refusal !== undefined) return { ...who, seconds: 0, failure: refusal }
    const template = await templates.for(system, databases, scenario.backlog?.(quick) ?? 0)
    database = await databases.create(template.database)
    running = new Trial(system, scenario.name, databases, database, quick, template.backlog, together, turns)
    const measured = await scenario.measure(running)
    return { ...who, seconds: seconds(), measured }
  } catch (error) {
    return { ...who, seconds: seconds(), failure: error instanceof Error ? error.message : inspect(error) }
  } finally {
    void together()
    await running?.close()
    if (database !== undefined) await databases.drop(database)
  }
}
