import Module from 'node:module'
import Database from 'better-sqlite3'

type Value = string | number | bigint | null | Uint8Array

/** The statement of `node:sqlite`, as far as it is used. */
class StatementSync {
  constructor(private readonly statement: Database.Statement<Value[]>) {}

  run(...values: Value[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.statement.run(...values)
  }

  get(...values: Value[]): unknown {
    return this.statement.get(...values)
  }

  all(...values: Value[]): unknown[] {
    return this.statement.all(...values)
  }
}

/**
 * The database of `node:sqlite`, as far as it is used: the same SQLite, in the same process, called synchronously. In WAL
 * mode better-sqlite3 has `synchronous = NORMAL`, one fsync less a commit than SQLite's own default: in the rival's favour.
 */
class DatabaseSync {
  private readonly database: Database.Database

  constructor(file: string) {
    // As node:sqlite, which does not wait for another process unless it is told to.
    this.database = new Database(file, { timeout: 0 })
  }

  exec(text: string): void {
    this.database.exec(text)
  }

  prepare(text: string): StatementSync {
    return new StatementSync(this.database.prepare<Value[]>(text))
  }

  close(): void {
    this.database.close()
  }
}

interface Loader {
  _load(request: string, ...rest: unknown[]): unknown
}

let installed = false

/**
 * On a Node without `node:sqlite` (before 22.5), lets `require('node:sqlite')` give better-sqlite3 in its shape, so that
 * a rival that needs it can be measured at all. Does nothing where the real module is there.
 */
export function installNodeSqlite(): void {
  if (installed || Module.isBuiltin('node:sqlite')) return
  installed = true
  const loader: unknown = Module
  if (!isLoader(loader)) throw new Error('this Node has no Module._load')
  const load = loader._load.bind(loader)
  loader._load = (request, ...rest) => (request === 'node:sqlite' ? { DatabaseSync } : load(request, ...rest))
}

function isLoader(value: unknown): value is Loader {
  return typeof value === 'function' && '_load' in value && typeof value._load === 'function'
}
