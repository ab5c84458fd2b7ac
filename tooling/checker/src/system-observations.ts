import type { Seen } from './states.js'

/** Something about processes, connections and outputs rather than messages. */
export type SystemObservation = Seen & { readonly kind: 'system' } & (
    Uncaught | Watched | Unsettled | Resources | Integrity | Leftovers | Canary | Answers
  )

/** An uncaughtException, an unhandledRejection, or an exit or signal nobody asked for. */
export interface Uncaught {
  readonly what: 'uncaught'
  readonly message: string
}

/** A process reports that its handlers for uncaught errors are in place: without one S3 has looked at nothing. */
export interface Watched {
  readonly what: 'watched'
}

/** A promise that had not settled when its time was over. */
export interface Unsettled {
  readonly what: 'unsettled'
  readonly op: string
  readonly afterMs: number
}

/** What a process holds: once before the load, once after everything it made is closed, and as often as wanted between. */
export interface Resources {
  readonly what: 'resources'
  readonly when: 'before' | 'during' | 'after'
  /** By type: TCPSocketWrap, Timeout, PipeWrap … (process.getActiveResourcesInfo()), listeners, database connections. */
  readonly counts: Readonly<Record<string, number>>
  readonly heapBytes?: number
}

/** The answer of `pragma integrity_check`, amcheck, or `admin.verify()`. */
export interface Integrity {
  readonly what: 'integrity'
  readonly check: string
  readonly problems: readonly string[]
}

/** What the database holds after every worker has stopped. */
export interface Leftovers {
  readonly what: 'leftovers'
  readonly leases: number
  /** Postgres: sessions idle in transaction; SQLite: whether the write lock is taken. */
  readonly openTransactions: number
  readonly advisoryLocks: number
}

/** Outputs (logs, errors, inspect) were searched for the canary secret. */
export interface Canary {
  readonly what: 'canary'
  /** Lines or texts searched. */
  readonly searched: number
  /** The places where it was found. */
  readonly found: readonly string[]
}

/** Answers of one script of operations on one store: the same script must give the same answers on all. */
export interface Answers {
  readonly what: 'answers'
  readonly script: string
  readonly store: string
  readonly answers: readonly string[]
}
