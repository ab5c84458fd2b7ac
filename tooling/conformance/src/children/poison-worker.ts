// Handles messages until one of them kills it.
import { defineQueue } from '@pgqrs/core'
import { BodyLog } from '../body-log.js'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const setup = childSetup<{ log: string; lease: string; maxCrashes: number; concurrency: number }>()
const { driver, dsn, lease, maxCrashes, concurrency } = setup
const log = new BodyLog(setup.log)

const store = await connectTo(driver, { dsn })
const queue = defineQueue<{ name: string; kills: boolean }>('poisoned', { lease, maxCrashes })
const handler = queue.handler(({ payload }) => {
  log.note(payload.name)
  if (payload.kills) process.kill(process.pid, 'SIGKILL')
  log.note(payload.name, 'end')
})
const worker = store.worker([handler], { concurrency })
await worker.start()
tell('working')
