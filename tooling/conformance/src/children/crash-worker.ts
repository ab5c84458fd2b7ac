// Works on `crash` runs until it comes by the crash point it is told, and dies there.
import { BodyLog } from '../body-log.js'
import { reportCrashPoints, type CrashPoint } from '../crash-points.js'
import { crashWorkflow } from '../crash-workflow.js'
import { connectTo } from './connect-to.js'
import { writeEffect } from './effects.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, log, lease, point } = childSetup<{ log: string; lease: string; point: CrashPoint }>()

function reached(here: CrashPoint): void {
  if (here === point) process.kill(process.pid, 'SIGKILL')
}

const store = await connectTo(driver, { dsn, wrapDriver: reportCrashPoints(reached) })
const worker = store.worker([crashWorkflow({ log: new BodyLog(log), lease, writeEffect, reached })])
await worker.start()
tell('working')
