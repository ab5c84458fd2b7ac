import { setTimeout as delay } from 'node:timers/promises'
import type { Measured, Scenario, Trial } from '../scenario.js'

const concurrency = 10

/** I, first part: what a worker costs that has nothing to do. */
export const idle: Scenario = {
  name: 'I',
  title: 'A worker with nothing to do',
  metrics: [
    { name: 'I statements', title: 'transactions of an idle worker', unit: 'per minute', better: 'lower' },
    { name: 'I cpu', title: 'CPU of an idle worker', unit: '% of a core', better: 'lower' },
  ],
  rounds: 'once',
  together: true,
  measure,
}

async function measure(trial: Trial): Promise<Measured> {
  const work = trial.system.kind === 'engine' ? 'runs' : 'messages'
  const worker = await trial.open('worker', work, concurrency)
  await worker.call('startWorker', work, concurrency, 'return', false)
  await trial.together()
  // Polls that slow down do so now, and the server has counted what came before.
  await delay(trial.quick ? 11_000 : 15_000)
  const before = await snapshot(trial)
  await delay(trial.quick ? 20_000 : 30_000)
  const after = await snapshot(trial)
  const minutes = (after.atMs - before.atMs) / 60_000
  const statements =
    before.transactions === undefined || after.transactions === undefined
      ? {}
      : { 'I statements': (after.transactions - before.transactions) / minutes }
  const cpu = (after.clientCpuMs - before.clientCpuMs) / (after.atMs - before.atMs)
  return { values: { ...statements, 'I cpu': cpu * 100 } }
}

async function snapshot(trial: Trial) {
  return { transactions: await trial.databases.transactions(trial.database), ...(await trial.usage()) }
}
