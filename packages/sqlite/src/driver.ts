import {
  ClosedError,
  delay,
  InvalidArgumentError,
  SqliteDialect,
  withinLimit,
  type Capabilities,
  type Clock,
  type Driver,
  type Execute,
  type ExecuteNow,
  type Failure,
  type Random,
  type Row,
  type Statement,
  type TransactionPlan,
  type WakeChannel,
  type WriterQueue,
} from '@pgqrs/core/driver'
import type BetterSqlite3 from 'better-sqlite3'
import { classify, OpenTransactionError } from './failure.js'
import { Pace, SLICE } from './pace.js'
import { statementsOf, type Statements } from './statements.js'
import { watch } from './watch.js'
import { writersOf } from './writers-of.js'

/** A better-sqlite3 database. */
export type Database = BetterSqlite3.Database

const WHY_A_LIMIT =
  "it holds SQLite's only write lock. Do slow work in a step before it, or make the callback synchronous."

/** What the driver needs to know of where it runs. */
export interface SqliteDriverSetup {
  /** The connection the engine uses. */
  readonly db: Database
  /** Opens another connection to the same file; undefined where there is only one (`:memory:`). */
  readonly another: (() => Database) | undefined
  /** Whether closing the driver closes `db`. */
  readonly owned: boolean
  /** How long to wait for another process's write lock, in ms. */
  readonly busyMs: number
  readonly clock: Clock
  readonly random: Random
}

/**
 * SQLite through better-sqlite3. One connection and one queue of writers in this process; a writer of another
 * process is waited for without blocking the event loop.
 */
export class SqliteDriver implements Driver<Database> {
  readonly name = 'sqlite'
  readonly dialect = new SqliteDialect()
  readonly capabilities: Capabilities
  readonly target: string
  readonly wake?: WakeChannel
  private readonly statements: Statements
  private readonly writers: WriterQueue
  private readonly pace: Pace
  // The second connection is for transactions that wait: reads of the engine must not see what is not committed.
  private lane: Database | undefined
  private closed = false

  constructor(private readonly setup: SqliteDriverSetup) {
    const shared = setup.another !== undefined
    this.target = setup.db.name === '' ? ':memory:' : setup.db.name
    this.capabilities = {
      wake: shared ? 'watch' : 'none',
      parallelFlushes: 1,
      oneWriter: true,
      clock: 'host',
      shared,
      schemas: false,
    }
    this.statements = statementsOf(setup.db)
    this.writers = writersOf(setup.db)
    this.pace = new Pace(setup.clock)
    if (shared) this.wake = watch(setup.db, setup.clock)
  }

  readonly execute = async (statements: readonly Statement[]): Promise<Row[][]> => {
    this.mustBeOpen()
    if (statements.every((statement) => statement.reads)) {
      await this.pace.before(statements.length)
      this.mustBeOpen()
      return this.statements.all(statements)
    }
    return this.writers.turn(async () => {
      if (statements.length > SLICE && this.setup.another !== undefined) return this.writeInSlices(statements)
      await this.pace.before(statements.length)
      return this.patiently(() => this.write(statements))
    })
  }

  /** One transaction that lets the event loop breathe, on the connection where nobody else can see or disturb it. */
  private async writeInSlices(statements: readonly Statement[]): Promise<Row[][]> {
    const db = this.laneFor()
    const rows: Row[][] = []
    await this.patiently(() => {
      db.exec('begin immediate')
    })
    try {
      for (let from = 0; from < statements.length; from += SLICE) {
        const slice = statements.slice(from, from + SLICE)
        await this.pace.before(slice.length)
        rows.push(...statementsOf(db).all(slice))
      }
      await this.patiently(() => {
        db.exec('commit')
      })
      return rows
    } catch (error) {
      if (db.inTransaction) db.exec('rollback')
      throw error
    }
  }

  private write(statements: readonly Statement[]): Row[][] {
    mustBeFree(this.setup.db)
    const [only] = statements
    // A single statement is its own transaction, and SQLite begins it as a writer.
    if (statements.length === 1 && only !== undefined) return [this.statements.run(only)]
    return inTransaction(this.setup.db, () => this.statements.all(statements))
  }

  async transaction<T>(plan: TransactionPlan<Database, T>): Promise<T> {
    this.mustBeOpen()
    return this.writers.turn(async () => {
      const db = this.laneFor()
      const statements = statementsOf(db)
      await this.patiently(() => {
        mustBeFree(db)
        db.exec('begin immediate')
      })
      let asynchronous = false
      try {
        plan.check(statements.run(plan.before))
        const working = plan.work(db)
        asynchronous = working instanceof Promise
        const value = await withinLimit(working, plan.limitMs, this.setup.clock, WHY_A_LIMIT)
        plan.checkAfter(statements.all(plan.after(value)))
        this.mustBeInTransaction(db)
        await this.patiently(() => {
          db.exec('commit')
        })
        return value
      } catch (error) {
        if (db.inTransaction) db.exec('rollback')
        if (asynchronous) this.discardLane()
        throw error
      }
    })
  }

  /** A callback that failed or is late may go on: what it writes then would count, so it must find its connection closed. */
  private discardLane(): void {
    this.lane?.close()
    this.lane = undefined
  }

  private laneFor(): Database {
    if (this.setup.another === undefined) return this.setup.db
    this.lane ??= this.setup.another()
    return this.lane
  }

  private mustBeInTransaction(db: Database): void {
    if (db.inTransaction) return
    throw new Error(
      'the transaction callback ended the transaction itself (commit or rollback); let pgqrs end it',
    )
  }

  within(tx: unknown): Execute | undefined {
    const execute = this.withinNow(tx)
    return execute === undefined ? undefined : async (statements) => Promise.resolve(execute(statements))
  }

  withinNow(tx: unknown): ExecuteNow | undefined {
    if (!isDatabase(tx)) return undefined
    return (statements) => {
      if (!tx.inTransaction) {
        throw new InvalidArgumentError(
          'tx: no transaction is open on this Database. Enqueue inside db.transaction(() => …).',
        )
      }
      // Nested, so that of several statements one that fails takes the others back.
      return tx.transaction(() => statementsOf(tx).all(statements))()
    }
  }

  classify(error: unknown): Failure {
    return classify(error)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    await this.writers.drained()
    this.lane?.close()
    if (this.setup.owned) this.setup.db.close()
  }

  /** Tries until another process lets go of the lock. Each try blocks for the small timeout of the connection only. */
  private async patiently<T>(work: () => T): Promise<T> {
    const { clock, random, busyMs } = this.setup
    const giveUpAt = clock.monotonic() + busyMs
    for (let wait = 2; ; wait = Math.min(wait * 2, 100)) {
      try {
        return work()
      } catch (error) {
        if (classify(error).kind !== 'retry' || clock.monotonic() > giveUpAt) throw error
        await delay(clock, wait * (0.5 + random.fraction()))
      }
    }
  }

  private mustBeOpen(): void {
    if (this.closed) throw new ClosedError(`The connection to ${this.target} is closed.`)
  }
}

/** @throws OpenTransactionError, which passes when the application ends its transaction. */
function mustBeFree(db: Database): void {
  if (db.inTransaction) throw new OpenTransactionError()
}

function inTransaction<T>(db: Database, work: () => T): T {
  db.exec('begin immediate')
  try {
    const value = work()
    db.exec('commit')
    return value
  } catch (error) {
    // After SQLITE_FULL or SQLITE_IOERR there is nothing left to roll back; after SQLITE_BUSY at COMMIT there is.
    if (db.inTransaction) db.exec('rollback')
    throw error
  }
}

/** Whether it is a database of better-sqlite3, whichever copy of that package made it. */
export function isDatabase(value: unknown): value is Database {
  return (
    typeof value === 'object' &&
    value !== null &&
    'prepare' in value &&
    'inTransaction' in value &&
    'pragma' in value
  )
}
