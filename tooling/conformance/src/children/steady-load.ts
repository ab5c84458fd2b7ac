// Works off messages in two equal halves, in each also opens and closes stores or lives through reconnects, and tells
// after each what the process has in use when nothing is to be done any more.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { AmbiguousCommitError, ConnectionError, defineQueue } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import type { SteadyLoad, InUse } from '../steady-load.js'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const BATCH = 1000
const LOOKS = 20

const { driver, dsn, messages, stores, cuts, options } = childSetup<SteadyLoad>()
let warnings = 0
process.on('warning', (warning) => {
  warnings++
  tell('warning', { warning: String(warning) })
})
const queue = defineQueue<number>('steady')
const store = await connectTo(driver, { dsn, ...options })
await store.admin.install()
let handled = 0
const worker = store.worker([queue.handler(() => (handled++, undefined))], { concurrency: 500 })
await worker.start()
const producer = store.producer(queue)

async function workOff(): Promise<void> {
  const until = handled + messages / 2
  for (let sent = 0; sent < messages / 2; sent += BATCH) {
    await producer.enqueueMany(Array.from({ length: BATCH }, (_, n) => n))
    await eventually('the worker to keep up', () => handled > until - messages / 2 + sent - 5 * BATCH, {
      timeoutMs: 60_000,
    })
  }
  await eventually('all to be handled', () => handled >= until, { timeoutMs: 60_000 })
}

async function openAndClose(): Promise<void> {
  for (let n = 0; n < stores / 2; n++) {
    const another = await connectTo(driver, { dsn, ...options })
    await another.producer(queue).enqueue(n)
    await another.close()
  }
}

/** Keeps connections busy until the parent says that enough of them were cut. */
async function surviveCuts(half: string): Promise<void> {
  let enough = false
  process.once('SIGUSR2', () => (enough = true))
  tell('cut', { half })
  const one = async (): Promise<void> => {
    while (!enough) {
      await producer.enqueue(1).catch((error: unknown) => {
        if (!(error instanceof AmbiguousCommitError || error instanceof ConnectionError)) throw error
      })
    }
  }
  await Promise.all(Array.from({ length: 20 }, one))
}

async function inUse(): Promise<InUse> {
  await eventually(
    'nothing to be left to do',
    async () => {
      const { ready, leased } = await store.admin.metrics('steady')
      return ready + leased === 0
    },
    { timeoutMs: 60_000, everyMs: 100 },
  )
  // What was under way with the last of it ends; what leaks never does. So the least of several looks counts.
  const looks: InUse[] = []
  for (let n = 0; n < LOOKS; n++) {
    globalThis.gc?.()
    await sleep(50)
    looks.push(look())
  }
  const least = (of: (one: InUse) => number): number => Math.min(...looks.map(of))
  const kinds = new Set(looks.flatMap(({ active }) => Object.keys(active)))
  return {
    heapBytes: least((one) => one.heapBytes),
    active: Object.fromEntries([...kinds].map((kind) => [kind, least(({ active }) => active[kind] ?? 0)])),
    listeners: least((one) => one.listeners),
    openFiles: least((one) => one.openFiles),
    warnings,
    handled,
  }
}

function look(): InUse {
  const active: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) active[kind] = (active[kind] ?? 0) + 1
  return {
    heapBytes: process.memoryUsage().heapUsed,
    active,
    listeners: process.eventNames().reduce((n, name) => n + process.listenerCount(name), 0),
    openFiles: readdirSync('/proc/self/fd').length,
    warnings,
    handled,
  }
}

for (const half of ['middle', 'end']) {
  await workOff()
  await openAndClose()
  if (cuts) await surviveCuts(half)
  tell(half, await inUse())
}
await store.close()
tell('closed')
