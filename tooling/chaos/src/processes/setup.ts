import { join } from 'node:path'
import { HistoryWriter, type StoreKind } from '@pgqrs/checker'

/** What every process of a run is told. */
export interface ProcessSetup {
  readonly store: StoreKind
  /** Where it connects to; may lead through a proxy or a pooler. */
  readonly dsn: string
  /** Where everybody writes their part of the history. */
  readonly folder: string
  /** Unique name of this life of the process. */
  readonly name: string
  readonly seed: number
  /** False behind a pooler in transaction mode. */
  readonly prepare?: boolean
  readonly maxConnections?: number
  /** Workers: messages and runs at once. */
  readonly concurrency?: number
  /** By how much its wall clock is wrong, ms. */
  readonly clockOffMs?: number
  /** What it breaks of the engine on purpose. */
  readonly sabotage?: string
}

/** In a child: what its parent told it. */
export function readSetup<Setup extends ProcessSetup = ProcessSetup>(): Setup {
  return JSON.parse(process.argv[2] ?? '{}') as Setup
}

/** CLOCK_MONOTONIC in ms: the same for all processes of a host. */
export function mono(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}

/** Opens the process's part of the history, and notes there whatever nobody catches. */
export function openHistory(setup: ProcessSetup): HistoryWriter {
  const offMs = setup.clockOffMs ?? 0
  const history = new HistoryWriter(join(setup.folder, `${setup.name}.jsonl`), setup.name, {
    mono,
    wall: () => Date.now() + offMs,
  })
  history.append({ kind: 'system', what: 'watched' })
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    history.append({ kind: 'system', what: 'uncaught', message })
  })
  return history
}
