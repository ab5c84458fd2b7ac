// Holds a message and a run until SIGTERM, on which it stops its worker and closes its store.
import { defineQueue, defineWorkflow } from '@pgqrs/core'
import { connectTo } from './connect-to.js'
import { childSetup, tell } from './start.js'

const { driver, dsn } = childSetup()
const store = await connectTo(driver, { dsn })

function untilAborted(what: string, signal: AbortSignal): Promise<never> {
  tell('holding', what)
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error)
    })
  })
}

const worker = store.worker([
  defineQueue('kept').handler((_, { signal }) => untilAborted('message', signal)),
  defineWorkflow<undefined, string>('kept_run', async (run) => {
    await run.step('first', () => 'done')
    return run.step('second', ({ signal }) => untilAborted('run', signal))
  }),
])
process.once('SIGTERM', () => {
  void worker.stop({ grace: 0 }).then(() => store.close())
})
await worker.start()
