// A consumer of the load: claims by hand until SIGTERM, and takes the nemesis's orders.
import { reportCrashPoints } from '../../../conformance/src/crash-points.js'
import { defineQueue } from '@pgqrs/core'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ByHand } from '../load/payloads.js'
import { POLL_MS, queuePolicies } from '../load/policies.js'
import { Hands } from './by-hand.js'
import { connectAs } from './connect.js'
import { Orders } from './orders.js'
import { noteResources } from './resources.js'
import { openHistory, readSetup } from './setup.js'
import { Witness } from './witnessed-driver.js'

const AT_ONCE = 3
/** Every look for messages is a write, and many a store has one writer: with nothing to do it takes its time. */
const IDLE_MS = 2 * POLL_MS

const setup = readSetup()
const history = openHistory(setup)
const orders = new Orders(setup, history)
const witness = new Witness(history)
console.log('starting')
noteResources(history, 'before')
const store = await connectAs(setup, {
  wrapDriver: (driver) => reportCrashPoints(orders.reached)(witness.wrapDriver(driver)),
})
const queue = defineQueue<ByHand>('chaos_hand', queuePolicies.chaos_hand)
const hands = new Hands(
  store.consumer(queue, { name: setup.name.replace(/\..*/, '') }),
  queue.name,
  witness,
  orders,
  history,
)

let stopping = false
process.on('SIGTERM', () => {
  // A second signal is somebody who has no more patience.
  if (stopping) process.exit(0)
  stopping = true
})
console.log('ready')
console.log('working')
// Each ends its holds before its next claim.
const loops = Array.from({ length: Math.ceil((setup.concurrency ?? 8) / AT_ONCE) }, async () => {
  while (!stopping) if ((await hands.take(AT_ONCE)) === 0) await sleep(IDLE_MS)
})
await Promise.all(loops)
await store.close()
setImmediate(() => {
  noteResources(history, 'after')
})
