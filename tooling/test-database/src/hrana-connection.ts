import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'libsql'
import { fromWire, HranaError, toWire, type Statement, type StatementResult } from './hrana-protocol.js'

/** How long a statement waits for another stream's transaction, as sqld does. */
const BUSY_MS = 5_000

/** One connection of the engine, which waits for locks without stopping the event loop. */
export interface HranaConnection {
  /** Runs one statement. @throws {HranaError} or an error of the engine. */
  execute(sql: string, stmt: Statement): Promise<StatementResult>
  /** Runs any number of statements. @throws {HranaError} or an error of the engine. */
  script(sql: string): Promise<void>
  inTransaction(): boolean
  /** Whether it has not been closed. */
  isOpen(): boolean
  /** Rolls an open transaction back, and closes. */
  close(): void
}

/** Opens a connection to a database file. */
export function openConnection(file: string): HranaConnection {
  let db = connect(file)
  let open = true

  /** Runs until the database is not busy. What is run anew must have done nothing, by which `done` goes. */
  async function patiently<T>(run: () => T, done: () => string = () => ''): Promise<T> {
    const deadline = performance.now() + BUSY_MS
    for (;;) {
      if (!open) throw new HranaError('the stream was closed', 'STREAM_CLOSED')
      const before = done()
      try {
        return run()
      } catch (error) {
        if (!isBusy(error) || db.inTransaction || done() !== before) throw error
        // The engine leaves the statement unfinished, and would never commit another one on this connection.
        db.close()
        db = connect(file)
        if (performance.now() > deadline) throw error
      }
      await sleep(3)
    }
  }

  return {
    execute: (sql, stmt) => patiently(() => execute(db, sql, stmt)),
    async script(sql) {
      await patiently(
        () => db.exec(sql),
        () => progress(db),
      )
    },
    inTransaction: () => db.inTransaction,
    isOpen: () => open,
    close() {
      if (!open) return
      open = false
      if (db.inTransaction) db.exec('rollback')
      db.close()
    },
  }
}

function connect(file: string): Database.Database {
  const db = new Database(file)
  // Waiting in the engine would stop this process's event loop, and with it the transaction waited for.
  db.exec('pragma busy_timeout = 0; pragma synchronous = normal')
  return db
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY'
}

function firstRow(db: Database.Database, sql: string): number[] {
  return db.prepare(sql).raw(true).get() as number[]
}

/** Changes whenever this connection has changed something. */
function progress(db: Database.Database): string {
  return firstRow(db, 'select total_changes(), schema_version from pragma_schema_version').join(' ')
}

function execute(db: Database.Database, sql: string, stmt: Statement): StatementResult {
  const statement = db.prepare<[unknown]>(sql).safeIntegers(true)
  const bound = argumentsOf(sql, stmt)
  if (!statement.reader) {
    const { changes, lastInsertRowid } = statement.run(bound)
    return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: String(lastInsertRowid) }
  }
  const cols = statement.columns().map(({ name, type }) => ({ name, decltype: type }))
  const [before] = firstRow(db, 'select total_changes()')
  const rows = (statement.raw(true).all(bound) as unknown[][]).map((row) => row.map(toWire))
  const [total, changes, rowid] = firstRow(db, 'select total_changes(), changes(), last_insert_rowid()')
  if (total === before) return { cols, rows, affected_row_count: 0, last_insert_rowid: null }
  return { cols, rows, affected_row_count: changes ?? 0, last_insert_rowid: String(rowid) }
}

/** The arguments as the one parameter that the engine takes: it aborts the process on a lone blob otherwise. */
function argumentsOf(sql: string, stmt: Statement): unknown {
  const named = stmt.named_args ?? []
  if (named.length === 0) return (stmt.args ?? []).map(fromWire)
  // The engine aborts the process on this, too.
  if (/\?(?!\d)/.test(sql.replace(/'[^']*'|"[^"]*"/g, '')))
    throw new HranaError('named arguments for a statement with positional ones', 'ARGS_INVALID')
  return Object.fromEntries(named.map(({ name, value }) => [name.replace(/^[:@$]/, ''), fromWire(value)]))
}
