import type { StoreKind } from '@pgqrs/checker'
import type { LibsqlServer, PostgresServer, TcpProxy } from '@pgqrs/test-database'

/** A row of a look into the database. */
export type Row = Record<string, unknown>

/** The database of one run, with what the nemesis can do to it. */
export interface ChaosDatabase {
  readonly kind: StoreKind
  /** Where the load connects to: through the proxy where there is one. */
  readonly dsn: string
  /** What is behind the proxy. */
  readonly straightDsn: string
  /** Executes one statement on the harness's own connection, past all faults of the network. */
  query(sql: string): Promise<Row[]>
  /** What the script of answers said on it when it was empty. */
  readonly answers: readonly string[]
  /** A secret of its DSN, which must not show up in any output. */
  readonly secret?: string
  /** Problems the database itself finds in its files. */
  integrity(): Promise<{ readonly check: string; readonly problems: string[] }>
  /** Transactions that are open although nobody works any more, and advisory locks. */
  leftovers(): Promise<{ readonly openTransactions: number; readonly advisoryLocks: number }>
  readonly proxy?: TcpProxy
  readonly postgres?: PostgresServer
  readonly libsql?: LibsqlServer
  /** SQLite: the file. */
  readonly file?: string
  /** A small file system of the run's own that the file is on. */
  readonly smallDisk?: string
  /** SQLite: closes the harness's own connection until it is needed again. */
  letGo?(): Promise<void>
  close(): Promise<void>
}
