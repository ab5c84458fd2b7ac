// A producer or operator of the load: makes the planned calls at their times, and ends when all of them have ended.
import { setTimeout as sleep } from 'node:timers/promises'
import { planLoad, type LoadShape } from '../load/plan.js'
import { Caller } from './caller.js'
import { connectWithDriver } from './connect.js'
import { beginning, isForLife } from './beginning.js'
import { mono, openHistory, readSetup, type ProcessSetup } from './setup.js'

/** What a client is told besides. */
export interface ClientSetup extends ProcessSetup {
  /** Whose calls of the plan it makes. */
  readonly role: string
  readonly shape: LoadShape
}

const bornAt = mono()
const setup = readSetup<ClientSetup>()
const history = openHistory(setup)
const { store, driver } = await connectWithDriver(setup)
const caller = new Caller(setup, store, driver, history)

const stop = new AbortController()
process.on('SIGTERM', () => {
  stop.abort()
})
console.log('ready')
console.log('working')
const began = await beginning(setup.folder)
for (const { atMs, by, call } of planLoad(setup.seed, setup.shape)) {
  if (by !== setup.role) continue
  const now = mono()
  const plannedAt = began + atMs
  if (!isForLife(plannedAt, bornAt, now)) continue
  if (plannedAt > now) await sleep(plannedAt - now)
  if (stop.signal.aborted) break
  caller.begin(call)
}
await caller.idle()
await store.close()
