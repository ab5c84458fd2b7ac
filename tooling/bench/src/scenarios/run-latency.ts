import type { Scenario } from '../scenario.js'

const concurrency = 10
const gapMs = 20
const capMs = 2500
const steps = 3

/** WL: from trigger to result of one run at a time, with nothing else to do. */
export const runLatency: Scenario = {
  name: 'WL',
  title: `From trigger to result of one run of ${steps} steps, idle, one at a time`,
  metrics: [
    { name: 'WL p50', title: `trigger to result of ${steps} steps, median`, unit: 'ms', better: 'lower' },
    { name: 'WL p99', title: `trigger to result of ${steps} steps, 99 %`, unit: 'ms', better: 'lower' },
  ],
  rounds: 'each',
  async measure(trial) {
    const samples = trial.quick ? 20 : 50
    const session = await trial.open('both', 'runs', concurrency)
    await session.call('startWorker', 'runs', concurrency, 'return', false)
    await session.call('runLatencies', 3, capMs, gapMs, steps)
    return { values: {}, samples: { WL: await session.call('runLatencies', samples, capMs, gapMs, steps) } }
  },
}
