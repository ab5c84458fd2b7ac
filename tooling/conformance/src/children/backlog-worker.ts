// Handles the messages of `backlog` and notes each of them, until it gets SIGTERM.
import { defineQueue } from '@pgqrs/core'
import { BodyLog } from '../body-log.js'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const setup = childSetup<{ log: string }>()
const log = new BodyLog(setup.log)
const store = await connectTo(setup.driver, { dsn: setup.dsn })
const worker = store.worker(
  [
    defineQueue<number>('backlog').handler(({ payload }) => {
      log.note(String(payload))
    }),
  ],
  {
    concurrency: 50,
    onEvent: (event) => {
      if (event.type === 'trouble') tell('trouble', String(event.error))
    },
  },
)
await worker.start()
process.once('SIGTERM', () => {
  void store.close()
})
tell('working')
