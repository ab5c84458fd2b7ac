// What can be done to a run from outside: ask it to stop, end its pause, and run it again after it failed.
import { once } from 'node:events'
import { connect, defineWorkflow, RunCancelledError, RunFailedError, TerminalError } from '@pgqrs/core'

const store = await connect(process.argv[2] ?? ':memory:')
await store.admin.install()

const started = new EventTarget()
let diskIsFull = true

const exportData = defineWorkflow('export_data', async (run, input: { rows: number }) => {
  const rows = await run.step('read', () => input.rows)
  await run.step('write', async ({ signal }) => {
    started.dispatchEvent(new Event('write'))
    // A step that listens to its signal ends as soon as the run is cancelled.
    if (rows > 1_000_000) await once(signal, 'abort')
    // A TerminalError is not tried again: the run fails.
    if (diskIsFull) throw new TerminalError('the disk is full')
  })
  return { rows }
})

const worker = store.worker([exportData])
await worker.start()

// Cancelling a run that is being executed: `cancelling` until its worker has seen it, then `cancelled`.
const writes = once(started, 'write')
const endless = await store.trigger(exportData, { rows: 5_000_000 })
await writes
console.log('asked to cancel:', await endless.cancel('nobody needs it any more'))
await endless.result({ timeout: '10s' }).catch((error: unknown) => {
  if (!(error instanceof RunCancelledError)) throw error
  console.log('cancelled:', reasonOf(error))
})

// A failed run keeps its checkpoints. A retry runs the step again that failed it, and nothing before that.
const failing = await store.trigger(exportData, { rows: 100 })
await failing.result({ timeout: '10s' }).catch((error: unknown) => {
  if (!(error instanceof RunFailedError)) throw error
  console.log('failed:', (error.cause as Error).message)
})
diskIsFull = false
await store.admin.runs.retry(failing.id)
console.log('after the retry:', JSON.stringify(await failing.result({ timeout: '10s' })))

await worker.stop()
await store.close()

function reasonOf({ message }: RunCancelledError): string {
  return message.split(': ').at(-1) ?? message
}
