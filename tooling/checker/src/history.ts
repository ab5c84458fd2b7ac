import type { FinalRow } from './rows.js'
import type { Operation, OperationValue } from './operations.js'
import type { CheckpointState, MessageState, Seen } from './states.js'
import type { SystemObservation } from './system-observations.js'

/**
 * A history is what was seen of one run, as JSON lines: one event a line, one file for each process that writes.
 *
 * Times: `mono` orders the events of all processes of a host (ms of CLOCK_MONOTONIC, or virtual ms), `wall` is the
 * process's own clock (it may be wrong on purpose) and only shown, `dbAt` is the database's clock (ms since the epoch).
 * Values are texts: the JSON of the value, key order does not matter (`"1"`, `{"a":1}`).
 */
export type HistoryEvent =
  | Facts
  | Opened
  | Invoked
  | Settled
  | BodyStarted
  | BodyEnded
  | BoundaryPassed
  | Accepted
  | MessageTransition
  | CheckpointTransition
  | FinalRow
  | Snapshot
  | SystemObservation
  | Mark
  | Rewound

/** What kind of database the run used. */
export type StoreKind = 'postgres' | 'sqlite' | 'turso'

/** What was run. Exactly one per history, written by the harness. */
export interface Facts extends Seen {
  readonly kind: 'facts'
  readonly store: StoreKind
  /** What produced the load: `chaos`, `simulation`, `mixed` … */
  readonly load: string
  readonly seed: number
  readonly faults: readonly string[]
  readonly leaseMs: number
  /** How long `stop()` lets handlers finish. */
  readonly graceMs: number
  readonly pollMs: number
  /** `wall - mono` of an undistorted process: turns `mono` into the time of the host's (and database's) clock. */
  readonly epochMs: number
  /** By how much times of different origin may differ without meaning anything. Default 50 (0 in virtual time). */
  readonly slackMs?: number
  readonly queues: Readonly<Record<string, QueueFacts>>
  /** How many messages that became due later may be claimed before one that waits in the same lane. Default 1000. */
  readonly passedOverAtMost?: number
  /** What the bank accounts of the load held at first. Absent: the load moves no money. */
  readonly accounts?: Readonly<Record<string, number>>
}

/** The policy of one queue or workflow. */
export interface QueueFacts {
  readonly kind: 'queue' | 'workflow'
  /** Attempts of a message before it is a dead letter (`maxAttempts`). */
  readonly maxAttempts: number
  readonly maxCrashes: number
  /** Shortest wait before another attempt after a failure, ms: the least the retry policy can give. */
  readonly minBackoffMs?: number
  /** Attempts of one step within a run. */
  readonly stepAttempts?: number
}

/** The first line a process writes into a file. */
export interface Opened extends Seen {
  readonly kind: 'opened'
}

/** A public call was begun. */
export type Invoked = Seen & {
  readonly kind: 'invoke'
  /** Unique over the history. */
  readonly op: string
  /** By when its promise must have settled, ms after the invocation. */
  readonly timeoutMs?: number
} & Operation

/** A public call ended. An invocation without this line is `unknown`: its process died. */
export interface Settled extends Seen {
  readonly kind: 'settle'
  readonly op: string
  /** `unknown`: it may have happened or not (AmbiguousCommitError, a time limit). `fail`: it has certainly not. */
  readonly outcome: 'ok' | 'fail' | 'unknown'
  readonly value?: OperationValue
  /** Code of the error: `LEASE_LOST` … */
  readonly error?: string
}

/** What a body belongs to. */
export interface BodyOf {
  /** Unique over the history. */
  readonly body: string
  /** `message`: a queue's handler. `run`: one pass of a workflow's function. The others: one boundary of a run. */
  readonly of: 'message' | 'run' | 'step' | 'transaction'
  /** Message or run. */
  readonly id: string
  /** Full name of the step: `list`, `poll#2`, `hash[3]/read`. */
  readonly step?: string
  readonly lease: string
}

/** The effect log: code of the user began. Written before it does anything. */
export interface BodyStarted extends Seen, BodyOf {
  readonly kind: 'started'
  /** Claims so far (message, run), or attempt of the step: counts from 1. */
  readonly attempt: number
  /** Message and run: the payload as it was delivered. */
  readonly payload?: string
  readonly key?: string
  /** The step before it, when the code starts this one only after that one has returned (not side by side). */
  readonly after?: string
}

/** The effect log: code of the user ended. Values must be unlike each other, so that it can be told whose was kept. */
export interface BodyEnded extends Seen, BodyOf {
  readonly kind: 'ended'
  readonly how: 'returned' | 'threw'
  /** What it returned. */
  readonly value?: string
  /** It threw what must not be tried again (TerminalError). */
  readonly terminal?: boolean
  /** What a transaction did to lists, in order. Kept only if the transaction committed. */
  readonly lists?: readonly ListOperation[]
}

/** A number, unlike any other, was put at the end of a list; or a list was read whole. */
export type ListOperation =
  | { readonly list: string; readonly append: number }
  | { readonly list: string; readonly read: readonly number[] }

/** A run's code came past a boundary and got a value from it, live or replayed. */
export interface BoundaryPassed extends Seen {
  readonly kind: 'boundary'
  readonly id: string
  readonly lease: string
  readonly step: string
  /** Counts the boundaries of one scope of one pass from 0 in the order in which the code reached them. */
  readonly scope: string
  readonly index: number
  readonly of: 'step' | 'transaction' | 'sleep' | 'pause'
  readonly how: 'returned' | 'threw'
  /** What it returned. A pause: the payload of the signal; absent when the pause ran out of time. */
  readonly value?: string
  /** Sleeps: `mono` when this pass reached it, and how long it was asked for. */
  readonly sleep?: { readonly reachedMono: number; readonly ms: number }
}

/** The engine told a holder that its write took effect (seen beneath the public API). */
export interface Accepted extends Seen {
  readonly kind: 'accepted'
  readonly write: 'finish' | 'release' | 'extend' | 'delete' | 'record'
  readonly id: string
  readonly lease: string
  readonly step?: string
  /** `mono` before it was sent. */
  readonly sentMono?: number
}

/** A row of pgqrs_messages changed: recorded by a trigger, in the transaction of the change. */
export interface MessageTransition extends Seen {
  readonly kind: 'message'
  /** Counts up over messages and checkpoints alike, taken when the row was locked: the order of changes of one row. */
  readonly seq: number
  /** The database's clock in the trigger. `mono` is when that was: read from a log afterwards, `dbAt - epochMs`. */
  readonly dbAt: number
  readonly id: string
  /** Null: inserted. */
  readonly before: MessageState | null
  /** Null: deleted. */
  readonly after: MessageState | null
  /** The transaction (Postgres: txid; SQLite: anything equal within one and unlike others). */
  readonly tx?: string
}

/** A row of pgqrs_steps changed. */
export interface CheckpointTransition extends Seen {
  readonly kind: 'checkpoint'
  readonly seq: number
  readonly dbAt: number
  readonly run: string
  readonly step: string
  readonly before: CheckpointState | null
  readonly after: CheckpointState | null
  /** Lease, status and vt of the run's row at that moment, read by the trigger. */
  readonly runLease: string | null
  readonly runStatus: MessageState['status'] | null
  readonly tx?: string
}

/** Counts and sums read in one statement (one snapshot) while the load ran. */
export interface Snapshot extends Seen {
  readonly kind: 'snapshot'
  /** Rows of each status, by queue, counted by hand; and what pgqrs's own metrics said in the same snapshot. */
  readonly queues?: Readonly<Record<string, QueueCounts>>
  /** Sum of all accounts. */
  readonly money?: number
  /** Rows of the witness table and of transactional checkpoints, counted in one snapshot. */
  readonly witnesses?: { readonly rows: number; readonly checkpoints: number }
}

/** Counts of one queue in one snapshot. */
export interface QueueCounts {
  readonly total: number
  readonly queued: number
  readonly running: number
  readonly paused: number
  readonly cancelling: number
  readonly success: number
  readonly error: number
  readonly cancelled: number
  /** Finished messages as pgqrs_tallies counts them, by status. */
  readonly tallied?: { readonly success: number; readonly error: number; readonly cancelled: number }
}

/** Something that happened to the run as a whole. */
export interface Mark extends Seen {
  readonly kind: 'mark'
  /** `healed`: no more faults. `quiet`: nothing is left to do, or waiting for that was given up. */
  readonly what: 'fault' | 'process-started' | 'process-ended' | 'healed' | 'load-ended' | 'quiet'
  /** The fault, signal or exit code; for a process its role. */
  readonly detail?: string
  /** `process-*`: which one; `fault`: which one it hit. */
  readonly target?: string
  /** `process-started`: whether it claims messages. */
  readonly worker?: boolean
}

/**
 * The database went back in time: a standby that did not have everything has taken over. What was acknowledged before
 * `from` has survived, what was called after `to` went to the standby; of what was between nobody can say.
 */
export interface Rewound extends Seen {
  readonly kind: 'rewound'
  /** `mono` when everything that was acknowledged until then was on its way to the standby, which has received it. */
  readonly from: number
  /** `mono` when the standby had taken over. */
  readonly to: number
}
