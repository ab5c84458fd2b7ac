/** A message as a producer asked for it. A run is a message on the queue named after its workflow. */
export interface EnqueuedMessage {
  /** Made by the caller before the first send. */
  readonly id: string
  readonly queue: string
  readonly payload: string
  readonly key?: string
  readonly delayMs?: number
  readonly priority?: number
}

/** A public call and its arguments. */
export type Operation =
  | Enqueue
  | {
      readonly name: 'dequeue'
      readonly queue: string
      readonly limit: number
    }
  | {
      /** By the holder of a lease, by hand. `failMessage` is `message.fail(error)`. */
      readonly name: 'archive' | 'delete' | 'release' | 'failMessage' | 'extend'
      readonly id: string
      readonly lease: string
      readonly delayMs?: number
      /** extend: for how long. Absent: as long as a claim. */
      readonly leaseMs?: number
    }
  | {
      /** `retry`: an operator replays a dead letter. `purge`, `archiveByOperator`: of what nobody holds. */
      readonly name: 'cancel' | 'retry' | 'purge' | 'archiveByOperator' | 'result' | 'status'
      readonly id: string
    }
  | {
      readonly name: 'signal'
      readonly id: string
      /** Name of the pause. */
      readonly step: string
      readonly payload: string
    }
  | {
      /** Any other call, for S4 and the table: install, stop, close, metrics … */
      readonly name: 'other'
      readonly what: string
    }

/**
 * Enqueue, enqueueMany or trigger. Within a transaction of the caller (`witness`) the outcome is that of the whole
 * transaction: ok = its commit was acknowledged.
 */
export interface Enqueue {
  readonly name: 'enqueue'
  readonly messages: readonly EnqueuedMessage[]
  /** What a taken key does. Absent: `ignore`, the holder's id is returned. */
  readonly onConflict?: 'ignore' | 'reject' | 'replace'
  /** The row of the witness table that the same transaction writes, named by its key. */
  readonly witness?: string
  /** All or none: enqueueMany, or several in one transaction. */
  readonly batch?: boolean
}

/** What a call that went well returned. */
export interface OperationValue {
  /** enqueue: the ids returned, in the order of the messages. */
  readonly ids?: readonly string[]
  /** dequeue */
  readonly claimed?: readonly { readonly id: string; readonly lease: string; readonly payload: string }[]
  /** status, result: as observed; cancel: after the call. */
  readonly status?: string
  /** result: the output, when it is a success. */
  readonly output?: string
  /** signal: whether it was taken. retry, purge, archiveByOperator, cancel: whether it took effect. */
  readonly taken?: boolean
}
