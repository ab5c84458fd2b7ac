import type { DriverTransaction, Store } from '@pgqrs/core'
import type { Capabilities } from '@pgqrs/core/driver'

/** A row of a look into the database. */
export type Row = Record<string, unknown>

/** One database of a driver's, made for one test. */
export interface TestDatabase {
  /** Also for child processes, when the database can be shared. */
  readonly dsn: string
  /** Opens a store on it with the driver's own `connect`. The suite closes what it opened through `Bench`. */
  connect(options?: object): Promise<Store>
  /** Looks past pgqrs, through a client of its own. */
  query(sql: string): Promise<Row[]>
  /** A table of pgqrs as {@link query} must name it to make it anew. Default: its name. */
  table?(name: string): string
  /** Writes a row into the user's table `effects(name text)` inside the transaction a `run.transaction` body gets. */
  writeEffect(tx: unknown, name: string): unknown
  /** Runs `work` in a transaction of the application's own client, and rolls it back when `work` throws. */
  inTransaction(work: (tx: DriverTransaction) => Promise<void>): Promise<void>
  /** Removes everything. */
  drop(): Promise<void>
}

/** A driver to be exercised. */
export interface Target {
  readonly name: string
  readonly capabilities: Pick<Capabilities, 'wake' | 'oneWriter' | 'clock' | 'shared' | 'schemas'>
  /** A new, empty database without the tables of pgqrs. */
  create(): Promise<TestDatabase>
  /** Package whose `connect` a child process imports. */
  readonly package: string
}
