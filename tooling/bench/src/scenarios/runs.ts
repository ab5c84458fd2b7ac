import type { Measured, Scenario, Trial } from '../scenario.js'
import type { Payload } from '../system.js'

const inFlight = 100

interface Shape {
  readonly name: 'W' | 'W10' | 'T'
  readonly what: string
  readonly kind: Payload['kind']
  readonly steps: number
  readonly most: number
}

/** W: runs of three steps. */
export const threeSteps = runs({ name: 'W', what: '3 no-op steps', kind: 'steps', steps: 3, most: 2000 })
/** W10: runs of ten steps. */
export const tenSteps = runs({ name: 'W10', what: '10 no-op steps', kind: 'steps', steps: 10, most: 300 })
/** T: runs of one transactional step. */
export const transactions = runs({
  name: 'T',
  what: 'one transactional step',
  kind: 'transaction',
  steps: 0,
  most: 2000,
})

function runs(shape: Shape): Scenario {
  const { name, what, most } = shape
  return {
    name,
    title: `${most} runs of ${what}, ${inFlight} in flight, from trigger to result`,
    metrics: [{ name, title: `runs of ${what}`, unit: 'runs/s', better: 'higher' }],
    rounds: 'each',
    measure: (trial) => measure(trial, shape),
  }
}

async function measure(trial: Trial, { name, kind, steps, most }: Shape): Promise<Measured> {
  const session = await trial.open('both', 'runs', inFlight)
  await session.call('startWorker', 'runs', inFlight, 'return', false)
  const before = await trial.usage()
  const span = {
    ms: trial.quick ? 1000 : 2500,
    most: trial.quick ? Math.min(most, 500) : most,
    warmUpMs: trial.quick ? 200 : 300,
    inFlight,
  }
  const done = await session.call('runs', span, kind, steps)
  const cost = await trial.costSince(before, done.count)
  trial.mustBe('runs finished', await trial.finished('runs', done.count), done.count)
  if (kind === 'transaction') {
    const effects = await trial.databases.count(trial.database, 'select count(*) from bench_effects')
    trial.mustBe('effects of runs', effects, done.count)
  }
  return { values: { [name]: (done.measured / done.elapsedMs) * 1000 }, cost }
}
