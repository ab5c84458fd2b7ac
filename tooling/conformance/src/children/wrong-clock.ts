// Works with a wall clock that is wrong by `offMs`: enqueues one message for later, and holds the one that is due.
import { systemClock, type Clock } from '@pgqrs/core/driver'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn, offMs } = childSetup<{ offMs: number }>()
const clock: Clock = {
  databaseNow: () => null,
  wallNow: () => Date.now() + offMs,
  monotonic: () => systemClock.monotonic(),
  after: (ms, callback, options) => systemClock.after(ms, callback, options),
  settle: () => systemClock.settle(),
}
const store = await connectTo(driver, { dsn, clock })
const later = await store.producer<string>('clocked').enqueue('later, from the wrong clock', { delay: '1h' })
const held = await store.consumer<string>('clocked').dequeue({ limit: 10, lease: '1h' })
process.once('SIGTERM', () => {
  void finish()
})
// A listener for a signal keeps no process alive.
const alive = setInterval(() => undefined, 1000)
tell('holding', { later, held: held.map((message) => message.payload) })

async function finish(): Promise<void> {
  for (const message of held) {
    await message.extend('1h')
    await message.archive()
  }
  await store.close()
  clearInterval(alive)
}
