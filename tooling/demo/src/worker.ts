// A worker process: `main.ts` starts it, watches its standard output, and ends it.
import { createInterface } from 'node:readline'
import type { WorkerEvent } from '@pgqrs/core'
import { useDatabase } from './database.js'
import { effectsOn } from './effects.js'
import { witnessed, type Pace } from './witness.js'
import { archiveFiles, type Names } from './workflow.js'

/** What a worker process is told: one line of JSON on its standard input, since a DSN may hold a password. */
export interface WorkerSetup {
  readonly dsn: string
  readonly names: Names
  /** File to which bodies are written. */
  readonly bodies: string
  readonly pace: Pace
}

/** What a worker process tells: lines of JSON. Errors are reduced to their message. */
export type Told = Exclude<WorkerEvent, { type: 'trouble' | 'dead' }> | Trouble

interface Trouble {
  readonly type: 'trouble' | 'dead'
  readonly error: string
}

// The terminal sends Ctrl-C to every process in it. This one ends when the demo closes its standard input, or dies.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

const input = createInterface({ input: process.stdin })
const closed = new Promise<void>((resolve) => input.once('close', resolve))
const setup = await new Promise<WorkerSetup | undefined>((resolve) => {
  input.once('line', (line) => resolve(JSON.parse(line) as WorkerSetup))
  void closed.then(() => resolve(undefined))
})
if (setup !== undefined) await work(setup)
// A body that hangs must not keep the process.
process.exit()

async function work({ dsn, names, bodies, pace }: WorkerSetup): Promise<void> {
  await useDatabase(dsn, async (database) => {
    const workflow = archiveFiles(witnessed(effectsOn(database, names), bodies, pace), names)
    const worker = database.store.worker([workflow], { name: 'demo', onEvent: tell })
    await worker.start()
    await closed
    await worker.stop({ grace: 0 })
  })
}

function tell(event: WorkerEvent): void {
  const said = 'error' in event ? { ...event, error: String(event.error) } : event
  process.stdout.write(`${JSON.stringify(said)}\n`)
}
