import type { Row, Statement } from '@pgqrs/core/driver'
import type { Database, Statement as Prepared } from 'better-sqlite3'

/** Prepares each text once per connection. The engine has a few dozen, all fixed, so nothing is ever evicted. */
export class Statements {
  private readonly prepared = new Map<string, Prepared<unknown[], Row>>()

  constructor(private readonly db: Database) {}

  /** Executes one statement and returns its rows. */
  run(statement: Statement): Row[] {
    let prepared = this.prepared.get(statement.sql)
    if (prepared === undefined) {
      prepared = this.db.prepare<unknown[], Row>(statement.sql)
      this.prepared.set(statement.sql, prepared)
    }
    if (prepared.reader) return prepared.all(...statement.parameters)
    prepared.run(...statement.parameters)
    return []
  }

  /** Executes statements in order. */
  all(statements: readonly Statement[]): Row[][] {
    return statements.map((statement) => this.run(statement))
  }
}

const known = new WeakMap<Database, Statements>()

/** The prepared statements of a connection. */
export function statementsOf(db: Database): Statements {
  let statements = known.get(db)
  if (statements === undefined) {
    statements = new Statements(db)
    known.set(db, statements)
  }
  return statements
}
