import type { Scenario } from '../scenario.js'

const batch = 1000

/** E2: batches, one after the other, one process. */
export const enqueueInBatches: Scenario = {
  name: 'E2',
  title: `Enqueue in batches of ${batch}`,
  metrics: [{ name: 'E2', title: `enqueue in batches of ${batch}`, unit: 'messages/s', better: 'higher' }],
  rounds: 'each',
  async measure(trial) {
    const session = await trial.open('producer', 'messages', 1)
    const before = await trial.usage()
    const span = {
      ms: trial.quick ? 700 : 1200,
      most: Infinity,
      warmUpMs: trial.quick ? 200 : 300,
      inFlight: 1,
    }
    const done = await session.call('enqueueInBatches', span, batch)
    const cost = await trial.costSince(before, done.count)
    trial.mustBe('messages enqueued', await trial.unfinished('messages'), done.count)
    return { values: { E2: (done.measured / done.elapsedMs) * 1000 }, cost }
  },
}
