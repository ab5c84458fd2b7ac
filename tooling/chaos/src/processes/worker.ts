// A worker of the load: works on everything until SIGTERM, makes its part of the planned calls beside that, as an
// application does that enqueues where it works, and takes the nemesis's orders.
import { reportCrashPoints } from '../../../conformance/src/crash-points.js'
import type { Driver } from '@pgqrs/core/driver'
import { runnables } from '../load/handlers.js'
import { GRACE_MS } from '../load/policies.js'
import { noteResources } from './resources.js'
import { sabotages } from '../sabotage/all.js'
import { Caller } from './caller.js'
import { connectAs, persistently } from './connect.js'
import { Orders } from './orders.js'
import { makePlannedCalls, type CallerSetup } from './planned-calls.js'
import { mono, openHistory, readSetup } from './setup.js'
import { Witness } from './witnessed-driver.js'

const SAMPLE_EVERY_MS = 5000
/** No body of the load goes on for longer after its signal aborted. */
const LONGEST_BODY_MS = 1000

const bornAt = mono()
const setup = readSetup<CallerSetup>()
const { role } = setup
const history = openHistory(setup)
const orders = new Orders(setup, history)
const witness = new Witness(history)
console.log('starting')
noteResources(history, 'before')
const sampling = setInterval(() => {
  noteResources(history, 'during')
}, SAMPLE_EVERY_MS).unref()
const sabotage = sabotages[setup.sabotage ?? '']
const wrap = sabotage?.wrapDriver ?? ((driver: Driver) => driver)
let clients: Driver | undefined
const store = await connectAs(setup, {
  wrapDriver: (driver) => {
    clients = driver
    return reportCrashPoints(orders.reached)(witness.wrapDriver(wrap(driver)))
  },
  ...(sabotage?.clock === undefined ? {} : { clock: sabotage.clock(role) }),
})
const worker = store.worker(
  runnables({ history, witness, orders, sharesKeyedSteps: sabotage?.sharesKeyedSteps ?? false }, role),
  {
    name: role,
    concurrency: setup.concurrency ?? 8,
    onEvent: (event) => {
      if (event.type === 'trouble') console.log('trouble', event.error)
    },
  },
)

if (clients === undefined) throw new Error('the store was opened without its driver')
const caller = new Caller(setup, store, clients, history)

const stop = new AbortController()
process.on('SIGTERM', () => {
  // A second signal is somebody who has no more patience.
  if (stop.signal.aborted) process.exit(0)
  stop.abort()
  // Nothing else ends the process: what the store would leave open would keep it alive.
  void end()
})
console.log('ready')

async function end(): Promise<void> {
  await worker.stop({ grace: GRACE_MS })
  await store.close()
  // What the user has under way with a client of his own ends by itself.
  await caller.idle()
  clearInterval(sampling)
  // Bodies that ignored their signal are the user's.
  setTimeout(() => {
    // The timer itself is over then.
    setImmediate(() => {
      noteResources(history, 'after')
    })
  }, LONGEST_BODY_MS)
}

await persistently(
  () => worker.start(),
  () => stop.signal.aborted,
)
console.log('working')
await makePlannedCalls(caller, setup, bornAt, stop.signal)
console.log('called')
