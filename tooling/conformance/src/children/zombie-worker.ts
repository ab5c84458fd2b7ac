// Works on a run, stands still past its lease where it is told to, and goes on as if nothing had happened.
import { LeaseLostError } from '@pgqrs/core'
import { reportCrashPoints, type CrashPoint } from '../crash-points.js'
import { zombieWorkflow } from '../zombie-workflow.js'
import { connectTo } from './connect-to.js'
import { writeEffect } from './effects.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, lease, point } = childSetup<{ lease: string; point: CrashPoint }>()
let stopped = false

function reached(here: CrashPoint): void {
  if (here !== point || stopped) return
  stopped = true
  tell('stopping')
  process.kill(process.pid, 'SIGSTOP')
}

const store = await connectTo(driver, { dsn, wrapDriver: reportCrashPoints(reached) })
const workflow = zombieWorkflow({
  who: 'zombie',
  lease,
  writeEffect,
  inStep: async (signal) => {
    reached('in-step-body')
    if (!stopped) return
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve)
    })
    tell('aborted', { leaseLost: signal.reason instanceof LeaseLostError })
  },
  inTransaction: () => {
    reached('in-transaction-body')
  },
})
const worker = store.worker([workflow], {
  onEvent: ({ type }) => {
    if (type === 'lease_lost' || type === 'archived' || type === 'dead' || type === 'released')
      tell('event', { type })
  },
})
process.once('SIGTERM', () => {
  void store.close()
})
await worker.start()
