import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '@pgqrs/test-database'
import type { RemoteSession } from '../remote-session.js'
import type { Scenario, Trial } from '../scenario.js'

const concurrency = 10
/** The second worker has settled by then. */
const settleMs = 700

/** R: one of two workers is killed in the middle of a run, with the shortest lease that is documented. */
export const recovery: Scenario = {
  name: 'R',
  title:
    'kill -9 of one of two workers in the middle of a run, shortest documented lease: seconds to the result',
  metrics: [{ name: 'R', title: 'kill -9 to result', unit: 's', better: 'lower' }],
  rounds: 'each',
  together: true,
  async measure(trial) {
    const capMs = trial.quick ? 20_000 : 45_000
    const before = await prepare(trial)
    await trial.together()
    const { victim, recovered } = await trial.turns.take(before)
    const killedAt = performance.now()
    await victim.kill()
    const limit = new AbortController()
    const seconds = await Promise.race([
      recovered.then(() => (performance.now() - killedAt) / 1000),
      delay(capMs, undefined, { signal: limit.signal }),
    ])
    limit.abort()
    if (seconds === undefined)
      throw new Error(`no result within ${capMs / 1000} s (${trial.system.shortestLease})`)
    return { values: { R: seconds }, remark: `lease ${trial.system.shortestLease}` }
  },
}

interface Ready {
  readonly victim: RemoteSession
  /** Resolves when the other worker has brought the run to its end (a queue: has begun the message again). */
  readonly recovered: Promise<unknown>
}

/** Opens everything; what it returns begins the run and ends when the first worker is in the middle of it. */
async function prepare(trial: Trial): Promise<() => Promise<Ready>> {
  const work = trial.system.kind === 'queue' ? 'messages' : 'runs'
  const victim = await trial.open('worker', work, concurrency)
  const other = await trial.open('worker', work, concurrency)
  const producer = await trial.open('producer', work, concurrency)
  await victim.call('startWorker', work, concurrency, 'hang', false)
  return async () => {
    const once = { ms: Infinity, most: 1, warmUpMs: 0, inFlight: 1 }
    const done =
      work === 'runs' ? producer.call('runs', once, 'steps', 3) : producer.call('enqueueOneByOne', once)
    done.catch(() => undefined)
    await eventually('the first worker to be in the middle', () => victim.call('startedCount'), {
      timeoutMs: 20_000,
    })
    await other.call('startWorker', work, concurrency, 'return', true)
    await delay(settleMs)
    return { victim, recovered: work === 'runs' ? done : other.call('startOf', 0) }
  }
}
