import { setTimeout as delay } from 'node:timers/promises'
import type { Progress } from '../activities.js'
import type { RemoteSession } from '../remote-session.js'
import type { Measured, Scenario, Trial } from '../scenario.js'

const concurrency = 100
/** How long commits may lag behind the last start. */
const commitMs = 5000

/** D: no-op messages that are there already, one worker process; D4: with four. */
export const drainByOne = drain('D', 1)
/** D4. */
export const drainByFour = drain('D4', 4)

function drain(name: 'D' | 'D4', processes: number): Scenario {
  const by = processes === 1 ? 'one worker process' : `${processes} worker processes`
  return {
    name,
    title: `Drain a backlog of no-op messages, ${by}`,
    metrics: [{ name, title: `drain, ${by}`, unit: 'messages/s', better: 'higher' }],
    rounds: 'each',
    // With four processes only the best is of interest.
    ...(processes === 1 ? {} : { outOfTheBox: false, notHopelessIn: 'D' }),
    backlog: wanted,
    measure: (trial) => measure(trial, name, processes),
  }
}

function wanted(quick: boolean): number {
  return quick ? 10_000 : 50_000
}

async function measure(trial: Trial, name: string, processes: number): Promise<Measured> {
  const workers: RemoteSession[] = []
  for (let i = 0; i < processes; i++) workers.push(await trial.open('worker', 'messages', concurrency))
  const total = trial.backlog
  const before = await trial.usage()
  const end = now() + (trial.quick ? 2500 : 4000)
  await Promise.all(
    workers.map((worker) => worker.call('startWorker', 'messages', concurrency, 'return', false)),
  )
  const allStarted = await untilStarted(workers, total, end)
  let left = await trial.unfinished('messages')
  // What every handler has done must be committed soon after, however late it is.
  while (left > 0 && now() < end + (allStarted ? commitMs : 0)) {
    await delay(3)
    left = await trial.unfinished('messages')
  }
  const endedAt = now()
  const finished = total - left
  const cost = await trial.costSince(before, Math.max(1, finished))
  if (left === 0 || allStarted) {
    trial.mustBe('messages finished', await trial.finished('messages', total), total)
  }
  const warm = warmedUp(await Promise.all(workers.map((worker) => worker.call('startsSoFar'))), total / 10)
  const seconds = (endedAt - (warm?.atMs ?? before.atMs)) / 1000
  const counted = Math.max(0, finished - (warm?.started ?? 0))
  const remarks = [
    ...(left === 0 ? [] : [`${finished} of ${total} in ${seconds.toFixed(1)} s`]),
    ...(total < wanted(trial.quick) ? [`a backlog of ${total}, all that it took in 6 s`] : []),
  ]
  const remark = remarks.length === 0 ? {} : { remark: remarks.join('; ') }
  return { values: { [name]: counted / seconds }, cost, ...remark }
}

/**
 * Waits until so many handlers have started in all of the processes together, or the time has come; returns whether
 * they have.
 */
async function untilStarted(workers: readonly RemoteSession[], count: number, end: number): Promise<boolean> {
  const [only, ...others] = workers
  if (only !== undefined && others.length === 0) {
    return (await only.call('untilStarted', count, Math.max(0, end - now()))) >= count
  }
  for (;;) {
    const counts = await Promise.all(workers.map((worker) => worker.call('startedCount')))
    const all = counts.reduce((total, each) => total + each, 0)
    if (all >= count || now() >= end) return all >= count
    await delay(10)
  }
}

/**
 * The moment at which so many handlers had started in all processes together; the first start when they never had,
 * and undefined when none has.
 */
export function warmedUp(processes: readonly (readonly Progress[])[], count: number): Progress | undefined {
  const moments = processes.flatMap((starts, process) => starts.map((each) => ({ ...each, process })))
  moments.sort((a, b) => a.atMs - b.atMs)
  const latest = processes.map(() => 0)
  for (const { process, started, atMs } of moments) {
    latest[process] = started
    const sum = latest.reduce((total, each) => total + each, 0)
    if (sum >= count) return { started: sum, atMs }
  }
  const [first] = moments
  return first === undefined ? undefined : { started: 0, atMs: first.atMs }
}

/** The same clock as in the children. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
