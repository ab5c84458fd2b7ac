// Writes and claims as fast as it can, and measures for how long the event loop stands still meanwhile.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, queue, messages } = childSetup<{ queue: string; messages: number }>()
const store = await connectTo(driver, { dsn })
const producer = store.producer<number>(queue)
const consumer = store.consumer<number>(queue)
const lag = monitorEventLoopDelay({ resolution: 1 })
lag.enable()
tell('writing')

async function write(): Promise<void> {
  // One by one, so that there are as many commits as messages.
  for (let n = 0; n < messages; n++) await producer.enqueue(n)
}

async function take(): Promise<number> {
  let taken = 0
  while (taken < messages) {
    const held = await consumer.dequeue({ limit: 20 })
    await Promise.all(held.map((message) => message.archive()))
    taken += held.length
  }
  return taken
}

const [, taken] = await Promise.all([write(), take()])
lag.disable()
tell('written', { taken, p50: lag.percentile(50) / 1e6, p99: lag.percentile(99) / 1e6, max: lag.max / 1e6 })
await store.close()
