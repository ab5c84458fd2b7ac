import type { HandlingPolicy } from '../queue/define-queue.js'
import type { Claimed } from '../queue/claimer.js'
import type { LazyAbort } from '../lazy-abort.js'
import type { WorkerEvent } from './events.js'

/** Why a worker takes a message away from its handler. */
export type AbortCause = 'lease_lost' | 'cancelled' | 'stop'

/** What surrounds one execution. */
export interface TaskContext {
  /** Aborts when the lease is lost, a cancel was asked for, or the grace of a stop is over. */
  readonly abort: LazyAbort
  /** Why {@link abort} did. */
  cause(): AbortCause | undefined
  /** The worker is stopping: a run lets go at its next boundary. */
  stopping(): boolean
  /** The user's code is over: what remains is to write the end of the lease. Safe to call more than once. */
  handled(): void
  readonly emit: (event: WorkerEvent) => void
}

/** Something a worker can run: the handler of a queue, or a workflow. */
export interface Task {
  readonly queue: string
  readonly kind: 'queue' | 'workflow'
  readonly policy: HandlingPolicy
  /** Runs the message and ends its lease, whatever comes. Never rejects because of what user code does. */
  execute(claimed: Claimed, context: TaskContext): Promise<void>
}
