import type { SqlDialect } from './dialect.js'
import type { Row, Statement } from './statement.js'

/** Executes statements, all or none, and returns the rows of each. */
export type Execute = (statements: readonly Statement[]) => Promise<Row[][]>

/** The same, at once: for transactions that cannot wait. */
export type ExecuteNow = (statements: readonly Statement[]) => Row[][]

/** What went wrong, in terms the engine can act on. */
export interface Failure {
  readonly kind:
    | 'unsent' // no connection could be made: nothing was sent
    | 'broken' // the connection broke: what was sent may have taken effect
    | 'retry' // rolled back by the database, may be repeated: deadlock, serialization, busy
    | 'read_only' // the database takes no writes for now
    | 'unique'
    | 'not_installed'
    | 'schema_missing'
    | 'permission'
    | 'authentication'
    | 'other'
  /** The object a permission is missing on, or another detail for the message. Never a secret. */
  readonly detail?: string
}

/** What a driver can do. What it cannot is counted in the output of the conformance suite. */
export interface Capabilities {
  /** How changes by other processes become known: `push` (LISTEN), `watch` (cheap local look), or polling alone. */
  readonly wake: 'push' | 'watch' | 'none'
  /** Flushes in flight at once; 1 where the database has a single writer. */
  readonly parallelFlushes: number
  /** All that waits goes into one flush, whatever operation it is, because one commit costs more than one statement. */
  readonly oneWriter: boolean
  /** Whose clock counts. */
  readonly clock: 'database' | 'host'
  /** More than one process can use the same database. */
  readonly shared: boolean
  /** Schemas other than the default one. */
  readonly schemas: boolean
}

/** A transaction of a user's with the engine's statements around it. */
export interface TransactionPlan<Tx, T> {
  /** Executed first; takes the locks. */
  readonly before: Statement
  /** Looks at its rows; throwing rolls back before any work. */
  check(rows: Row[]): void
  /** The user's part. */
  work(tx: Tx): T | Promise<T>
  /** Executed last, with the value of the work. */
  after(value: T): Statement[]
  /** Looks at the rows of each statement of `after`; throwing rolls back. */
  checkAfter(rows: Row[][]): void
  /** Rolled back when it takes longer, in ms. */
  readonly limitMs: number
}

/** Hints between processes. Polling is the truth; a lost hint only costs time. */
export interface WakeChannel {
  /**
   * Calls `heard` with the topics of each hint (`'*'`: anything) until stopped. `proved` is told whether hints really
   * arrive, at the start and whenever that changes. Resolves when the first proof is in.
   */
  listen(
    heard: (topics: readonly string[]) => void,
    proved: (works: boolean) => void,
  ): Promise<() => Promise<void>>
  /** Sends topics to all who listen. Never part of a transaction. */
  notify(topics: readonly string[]): Promise<void>
}

/**
 * All that the engine needs of a database client. For authors of drivers; not covered by semantic versioning.
 * @typeParam Tx what a user's transaction callback is given.
 */
export interface Driver<Tx = unknown> {
  readonly name: string
  readonly dialect: SqlDialect
  readonly capabilities: Capabilities
  /** Where this leads, without secrets: for messages. */
  readonly target: string
  readonly execute: Execute
  transaction<T>(plan: TransactionPlan<Tx, T>): Promise<T>
  /** Executes inside a transaction of the caller's; undefined when it is no handle of this driver's client. */
  within(tx: unknown): Execute | undefined
  /**
   * The same at once, where the client is synchronous: what is wrong must be thrown before the caller's transaction
   * ends, or it could not roll that back.
   */
  withinNow?(tx: unknown): ExecuteNow | undefined
  classify(error: unknown): Failure
  readonly wake?: WakeChannel
  /** Releases everything that this driver opened, and only that. */
  close(): Promise<void>
}
