// Makes a great many calls in one turn of the event loop, and tells what became of them.
import { createHash } from 'node:crypto'
import { BackPressureError, defineQueue } from '@pgqrs/core'
import type { CallsMade, ManyCalls } from '../many-callers.js'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, calls, payloadBytes } = childSetup<ManyCalls>()
const store = await connectTo(driver, { dsn })
await store.admin.install()
const producer = store.producer(defineQueue<string>('many'))

const filler = 'x'.repeat(payloadBytes)
const ids: string[] = []
const failures = new Map<string, number>()
const made: Promise<void>[] = []
for (let n = 0; n < calls; n++) {
  made.push(
    producer.enqueue(`${n} ${filler}`).then(
      (id) => void ids.push(id),
      (error: unknown) => {
        const name = error instanceof BackPressureError ? 'refused' : String(error)
        failures.set(name, (failures.get(name) ?? 0) + 1)
      },
    ),
  )
}
const { heapUsed } = process.memoryUsage()
await Promise.all(made)
// There is room again.
ids.push(await producer.enqueue('one more'))
const fingerprint = createHash('sha256').update(ids.sort().join()).digest('hex')
tell('made', {
  accepted: ids.length,
  failures: Object.fromEntries(failures),
  fingerprint,
  heapUsed,
} satisfies CallsMade)
await store.close()
