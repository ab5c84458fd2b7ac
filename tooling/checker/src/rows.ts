import type { CheckpointState, MessageState, Seen } from './states.js'

/** A row as it was read after the run was quiet. */
export type FinalRow = Seen & { readonly kind: 'row' } & (
    MessageRow | StepRow | WorkerRow | TallyRow | AccountRow | WitnessRow | ListRow
  )

/** A final row of one table, as an event. */
export type RowOf<Table extends FinalRow['table']> = Extract<FinalRow, { readonly table: Table }>

export interface MessageRow extends MessageState {
  readonly table: 'messages'
  readonly id: string
}

export interface StepRow extends CheckpointState {
  readonly table: 'steps'
  readonly run: string
  readonly step: string
}

export interface WorkerRow {
  readonly table: 'workers'
  readonly id: string
  readonly status: string
  readonly heartbeatAt: number
  readonly held: number
}

/** Sum over the shards of pgqrs_tallies. */
export interface TallyRow {
  readonly table: 'tallies'
  readonly queue: string
  readonly status: string
  readonly n: number
}

/** A bank account of the load. */
export interface AccountRow {
  readonly table: 'accounts'
  readonly account: string
  readonly balance: number
}

/**
 * A row that a transaction of the user wrote beside what pgqrs wrote: a transactional step beside its checkpoint
 * (`run` and `step`), or a producer beside its messages (`witness`). No unique key: a second one must show.
 */
export interface WitnessRow {
  readonly table: 'witnesses'
  readonly run?: string
  readonly step?: string
  readonly witness?: string
  /** transactional step: what it moved. */
  readonly from?: string
  readonly to?: string
  readonly amount?: number
  /** The value the step returned. */
  readonly value?: string
}

/** A list that transactional steps append unique numbers to (list-append). */
export interface ListRow {
  readonly table: 'lists'
  readonly list: string
  readonly elements: readonly number[]
}
