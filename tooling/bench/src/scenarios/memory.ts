import { eventually } from '@pgqrs/test-database'
import type { RemoteSession } from '../remote-session.js'
import type { Measured, Scenario, Trial, Values } from '../scenario.js'

// Who is there at all is there much sooner; the time is others'.
const patienceMs = 10_000

/** I, second part: what runs keep in the process of their worker. */
export const memory: Scenario = {
  name: 'I',
  title: 'Memory of runs',
  metrics: [
    { name: 'I sleeping', title: 'heap of the worker for each sleeping run', unit: 'bytes', better: 'lower' },
    {
      name: 'I in flight',
      title: 'heap of the worker for each run in flight',
      unit: 'bytes',
      better: 'lower',
    },
  ],
  rounds: 'once',
  outOfTheBox: false,
  // It is no race: what counts is what is there in the end.
  together: true,
  atOnce: 2,
  measure: (trial) => trial.turns.take(() => measure(trial)),
}

async function measure(trial: Trial): Promise<Measured> {
  const many = trial.quick ? 1000 : 10_000
  const inFlight = { 'I in flight': await heapInFlight(trial, many) }
  const values: Values =
    trial.system.kind === 'queue' ? inFlight : { ...inFlight, 'I sleeping': await heapSleeping(trial, many) }
  return { values }
}

async function heapSleeping(trial: Trial, many: number): Promise<number> {
  const worker = await trial.open('worker', 'runs', 100)
  await worker.call('startWorker', 'runs', 100, 'return', false)
  const producer = await trial.open('producer', 'runs', 100)
  // What the first runs leave behind is code and pools, and not theirs.
  await producer.call('triggerOnly', many / 5, 'sleep', 0)
  const before = await settledHeap(worker)
  await producer.call('triggerOnly', many, 'sleep', 0)
  const after = await settledHeap(worker)
  await worker.close()
  await producer.close()
  return Math.max(0, after - before) / many
}

async function heapInFlight(trial: Trial, many: number): Promise<number> {
  const work = trial.system.kind === 'queue' ? 'messages' : 'runs'
  const worker = await trial.open('worker', work, many)
  await worker.call('startWorker', work, many, 'gate', false)
  const producer = await trial.open('producer', work, 100)
  const before = await settledHeap(worker)
  if (work === 'runs') await producer.call('triggerOnly', many, 'steps', 1)
  else await producer.call('enqueueOneByOne', { ms: Infinity, most: many, warmUpMs: 0, inFlight: 100 })
  const started = await worker.call('untilStarted', many, patienceMs)
  if (started < many)
    throw new Error(
      `only ${started} of ${many} were in flight ${patienceMs / 1000} s after the last was there`,
    )
  const { heapUsed } = await worker.call('memory')
  await worker.kill()
  await producer.close()
  return Math.max(0, heapUsed - before) / many
}

/** The heap once the process has nothing left to do. */
async function settledHeap(worker: RemoteSession): Promise<number> {
  let last = await worker.call('mark')
  const isQuiet = async (): Promise<boolean> => {
    const next = await worker.call('mark')
    const busy = (next.cpuMs - last.cpuMs) / (next.atMs - last.atMs)
    last = next
    return busy < 0.1
  }
  await eventually('the worker to have nothing to do', isQuiet, { timeoutMs: patienceMs, everyMs: 500 })
  return (await worker.call('memory')).heapUsed
}
