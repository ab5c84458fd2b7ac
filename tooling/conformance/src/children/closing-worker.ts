// Enqueues and works on one message, closes its store, and ends when nothing is left that keeps it alive.
import { defineQueue } from '@pgqrs/core'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn } = childSetup()
const store = await connectTo(driver, { dsn, pollInterval: '1h', heartbeatInterval: '1h' })
const queue = defineQueue<string>('last-words')
const done = new Promise<string>((resolve) => {
  void store
    .worker([
      queue.handler((message) => {
        resolve(message.payload)
      }),
    ])
    .start()
})
await store.consumer('another').dequeue()
const id = await store.producer(queue, { name: 'speaker' }).enqueue('goodbye')
await store.producer(queue).enqueue('not yet', { delay: '1h' })
tell('done', await done)
await store.close()
tell('closed', { id })
