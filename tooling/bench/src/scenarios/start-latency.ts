import { setTimeout as delay } from 'node:timers/promises'
import type { Scenario, Trial } from '../scenario.js'

const concurrency = 10
const gapMs = 20
const capMs = 2500
const warmUpMs = 1500

/** L: from the call to enqueue until the handler starts, with nothing else to do; in one process and between two. */
export const startLatency: Scenario = {
  name: 'L',
  title: 'From enqueue to handler start, idle worker, one at a time',
  metrics: [
    { name: 'L p50', title: 'enqueue to handler start, one process, median', unit: 'ms', better: 'lower' },
    { name: 'L p99', title: 'enqueue to handler start, one process, 99 %', unit: 'ms', better: 'lower' },
    {
      name: 'L apart p50',
      title: 'enqueue to handler start, two processes, median',
      unit: 'ms',
      better: 'lower',
    },
    {
      name: 'L apart p99',
      title: 'enqueue to handler start, two processes, 99 %',
      unit: 'ms',
      better: 'lower',
    },
  ],
  rounds: 'each',
  async measure(trial) {
    const samples = trial.quick ? 20 : 100
    const together = await trial.open('both', 'messages', concurrency)
    await together.call('startWorker', 'messages', concurrency, 'return', true)
    await together.call('startLatencies', trial.quick ? 3 : 60, warmUpMs, gapMs)
    const here = await together.call('startLatencies', samples, capMs, gapMs)
    await together.call('stopWorker')
    await together.close()
    return { values: {}, samples: { L: here, 'L apart': await apart(trial, samples) } }
  },
}

/** One process enqueues, the other works; both read the same clock. */
async function apart(trial: Trial, samples: number): Promise<number[]> {
  const worker = await trial.open('worker', 'messages', concurrency)
  await worker.call('startWorker', 'messages', concurrency, 'return', true)
  const producer = await trial.open('producer', 'messages', 1)
  const found: number[] = []
  const end = performance.now() + capMs
  // Numbers that the first part has not used.
  for (let n = 1_000_000; found.length < samples && (found.length < 6 || performance.now() < end); n++) {
    await delay(gapMs * (0.5 + Math.random()))
    const before = await producer.call('enqueueNow', n)
    found.push((await worker.call('startOf', n)) - before)
  }
  return found.slice(3)
}
