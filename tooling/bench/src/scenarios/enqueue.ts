import type { Scenario } from '../scenario.js'

const inFlight = 100

/** E1: one call each, one process. */
export const enqueueOneByOne: Scenario = {
  name: 'E1',
  title: `Enqueue, one call each, ${inFlight} in flight`,
  metrics: [{ name: 'E1', title: 'enqueue, one call each', unit: 'messages/s', better: 'higher' }],
  rounds: 'each',
  async measure(trial) {
    const session = await trial.open('producer', 'messages', inFlight)
    const before = await trial.usage()
    const done = await session.call('enqueueOneByOne', {
      ms: trial.quick ? 700 : 1200,
      most: Infinity,
      warmUpMs: trial.quick ? 200 : 300,
      inFlight,
    })
    const cost = await trial.costSince(before, done.count)
    trial.mustBe('messages enqueued', await trial.unfinished('messages'), done.count)
    return { values: { E1: (done.measured / done.elapsedMs) * 1000 }, cost }
  },
}
