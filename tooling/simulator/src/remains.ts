import type { CheckpointState, MessageState } from '@pgqrs/checker'
import type { Arena } from './arena.js'
import { checkpointCells, checkpointState, messageCells, messageState } from './recorder.js'

/** A row of the table that transactions of the load write into. */
export interface Witness {
  readonly run: string | null
  readonly step: string | null
  readonly witness: string | null
  readonly value: string | null
}

/** A checkpoint and whose it is. */
export interface Checkpoint extends CheckpointState {
  readonly run: string
  readonly step: string
}

/** What is in the database when all is over. */
export interface Remains {
  readonly messages: ReadonlyMap<string, MessageState>
  /** By run and full name of the step: `run/step`. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>
  readonly workers: readonly { readonly id: string; readonly status: string; readonly heartbeat_at: number }[]
  readonly tallies: readonly { readonly queue: string; readonly status: string; readonly n: number }[]
  readonly witnesses: readonly Witness[]
}

/** Reads what is there. */
export function remainsOf(arena: Arena): Remains {
  const all = (sql: string): unknown[] => arena.prepare(sql).all()
  const cells = (sql: string): unknown[][] => arena.prepare(sql).raw().all() as unknown[][]
  const messages = new Map<string, MessageState>()
  for (const [id, ...rest] of cells(`select id, ${messageCells.join(', ')} from pgqrs_messages`)) {
    const state = messageState(rest)
    if (state !== null) messages.set(id as string, state)
  }
  const checkpoints = new Map<string, Checkpoint>()
  for (const [run, step, ...rest] of cells(
    `select run_id, name, ${checkpointCells.join(', ')} from pgqrs_steps`,
  )) {
    const state = checkpointState(rest)
    const of = { run: run as string, step: step as string }
    if (state !== null) checkpoints.set(`${of.run}/${of.step}`, { ...of, ...state })
  }
  return {
    messages,
    checkpoints,
    workers: all('select id, status, heartbeat_at from pgqrs_workers') as Remains['workers'],
    tallies: all(
      'select queue, status, sum(n) as n from pgqrs_tallies group by queue, status',
    ) as Remains['tallies'],
    witnesses: all('select run, step, witness, value from witnesses') as Remains['witnesses'],
  }
}
