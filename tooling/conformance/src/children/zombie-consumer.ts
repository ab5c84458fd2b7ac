// Holds messages by hand, stands still past their leases, and then tries everything a holder may do.
import { PgqrsError, type LeasedMessage } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, lease } = childSetup<{ lease: string }>()

const acts: Record<string, (message: LeasedMessage<unknown>) => Promise<void>> = {
  extend: (message) => message.extend('1m'),
  archive: (message) => message.archive('the zombie'),
  release: (message) => message.release(),
  delete: (message) => message.delete(),
  fail: (message) => message.fail(new Error('of the zombie')),
}

const store = await connectTo(driver, { dsn })
const consumer = store.consumer('haunted')
const held: LeasedMessage<unknown>[] = []
await eventually('the messages', async () => {
  held.push(...(await consumer.dequeue({ limit: 100, lease })))
  return held.length >= Object.keys(acts).length
})
tell('holding')
process.kill(process.pid, 'SIGSTOP')

const outcomes: Record<string, string> = {}
for (const [i, [name, act]] of Object.entries(acts).entries()) {
  outcomes[name] = await act(held[i] as LeasedMessage<unknown>).then(
    () => 'done',
    (error: unknown) => (error instanceof PgqrsError ? error.code : String(error)),
  )
}
const { lost } = await consumer.archiveMany(held)
outcomes['archiveMany'] = lost.length === held.length ? 'LEASE_LOST' : 'done'
tell('outcomes', outcomes)
await store.close()
