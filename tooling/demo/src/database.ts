import type { Store } from '@pgqrs/core'
import { connect as connectPostgres } from '@pgqrs/postgres'
import { connect as connectSqlite, type Database } from '@pgqrs/sqlite'
import BetterSqlite3 from 'better-sqlite3'
import postgres, { type TransactionSql } from 'postgres'
import type { Archive } from './workflow.js'

/** A row of the user's table. Nothing in the table keeps a second row of the same run out. */
export interface ArchiveRow extends Archive {
  readonly run_id: string
}

/** A database with pgqrs and a table of the user's in it. `Tx` is the driver's own transaction. */
export interface DemoDatabase<Tx> {
  readonly store: Store<Tx>
  /** Creates the user's table where it is absent. */
  createTable(): Promise<void>
  /** Inserts a row through the transaction of a step. */
  readonly record: (tx: Tx, runId: string, archive: Archive) => void | Promise<void>
  /** The rows of a run, as anybody sees them. */
  rows(runId: string): Promise<ArchiveRow[]>
  close(): Promise<void>
}

/** Does something with a database, whichever it is. */
export type UseDatabase<T> = <Tx>(database: DemoDatabase<Tx>) => Promise<T>

const CREATE_TABLE = `create table if not exists demo_archives (
  run_id text not null, archive text not null, files integer not null, bytes integer not null, sha256 text not null
)`

/** The scheme of a DSN the demo can use; undefined for another. */
export function databaseOf(dsn: string): 'postgres' | 'sqlite' | undefined {
  if (/^postgres(ql)?:\/\//i.test(dsn)) return 'postgres'
  return /^sqlite:(?!:memory:)./i.test(dsn) ? 'sqlite' : undefined
}

/**
 * Connects, hands the database to `use`, and closes it.
 * @throws what pgqrs and the database's client throw.
 */
export async function useDatabase<T>(dsn: string, use: UseDatabase<T>): Promise<T> {
  return databaseOf(dsn) === 'postgres' ? using(await onPostgres(dsn), use) : using(await onSqlite(dsn), use)
}

async function using<Tx, T>(database: DemoDatabase<Tx>, use: UseDatabase<T>): Promise<T> {
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

async function onSqlite(dsn: string): Promise<DemoDatabase<Database>> {
  const store = await connectSqlite(dsn)
  const client = new BetterSqlite3(store.target, { timeout: 5000 })
  return {
    store,
    createTable: async () => {
      client.exec(CREATE_TABLE)
    },
    record: (tx, runId, { archive, files, bytes, sha256 }) => {
      tx.prepare('insert into demo_archives values (?, ?, ?, ?, ?)').run(runId, archive, files, bytes, sha256)
    },
    rows: async (runId) =>
      client.prepare<[string], ArchiveRow>('select * from demo_archives where run_id = ?').all(runId),
    close: async () => {
      client.close()
      await store.close()
    },
  }
}

async function onPostgres(dsn: string): Promise<DemoDatabase<TransactionSql>> {
  const store = await connectPostgres(dsn)
  const sql = postgres(dsn, { max: 1, onnotice: () => undefined })
  return {
    store,
    createTable: async () => {
      await sql.unsafe(CREATE_TABLE)
    },
    record: async (tx, runId, { archive, files, bytes, sha256 }) => {
      await tx`insert into demo_archives values (${runId}, ${archive}, ${files}, ${bytes}, ${sha256})`
    },
    rows: (runId) => sql<ArchiveRow[]>`select * from demo_archives where run_id = ${runId}`,
    close: async () => {
      await sql.end({ timeout: 1 })
      await store.close()
    },
  }
}
