import type { Driver, Failure, Row, Statement, TransactionPlan } from '@pgqrs/core/driver'
import type { Arena } from './arena.js'
import { SqliteDialect } from '@pgqrs/core/driver'
import { isLease } from './identities.js'
import { DATABASE_TIME, type Life } from './life.js'
import { nameOf } from './statement-names.js'
import { Journey, NetworkFailure, type Call, type Line, type Surroundings } from './journey.js'

/** A process that listens for hints. */
export interface Listener {
  readonly life: Life
  heard(topics: readonly string[]): void
}

/** How the database looks to the engine. */
export interface Seeming {
  readonly oneWriter: boolean
  readonly hints: boolean
  readonly clock: 'database' | 'host'
}

// One for all lives: queries are compiled once for a dialect.
const dialect = new SqliteDialect()

/**
 * Puts a network between an engine and its database. Each call is sent, executed and answered, each at a time of its
 * own; on the way it may be delayed, lost, or meet its process dead or frozen.
 */
export class Network<Tx> implements Driver<Tx> {
  readonly name: string
  readonly dialect = dialect
  readonly capabilities
  readonly target: string
  readonly wake?: NonNullable<Driver['wake']>
  private readonly line: Line

  constructor(
    private readonly inner: Driver<Tx>,
    private readonly life: Life,
    private readonly around: Surroundings & { readonly arena: Arena; readonly listeners: Set<Listener> },
    seeming: Seeming,
  ) {
    this.line = { life, around, cutUntil: -1 }
    this.name = inner.name
    this.target = inner.target
    this.capabilities = {
      ...inner.capabilities,
      oneWriter: seeming.oneWriter,
      parallelFlushes: seeming.oneWriter ? 1 : 3,
      wake: seeming.hints ? ('push' as const) : ('none' as const),
      clock: seeming.clock,
      shared: true,
    }
    if (seeming.hints) this.wake = this.channel()
  }

  readonly execute = (statements: readonly Statement[]): Promise<Row[][]> => {
    const names = statements.map((statement) => nameOf(statement.sql))
    const name = names.length === 1 ? (names[0] ?? '') : names.join(' ')
    const answer = this.carry(new Execution(name, statements, names, this))
    const afterwards = this.around.sabotage?.afterwards?.(name)
    return afterwards === undefined ? answer : answer.then((rows) => this.follow(rows, afterwards))
  }

  /** Sends a second statement before the sender of the first hears of it. */
  private async follow(rows: Row[][], sql: string): Promise<Row[][]> {
    const statement = { sql, parameters: [DATABASE_TIME], reads: false }
    await this.carry(new Execution('afterwards', [statement], ['afterwards'], this))
    return rows
  }

  /** What the database does with statements. */
  executed(statements: readonly Statement[]): Row[][] {
    return this.around.arena.execute(this.timed(statements))
  }

  /** The user's code runs in the process, so a process that has died meanwhile commits nothing. */
  transaction<T>(plan: TransactionPlan<Tx, T>): Promise<T> {
    let dies = false
    const timedPlan: TransactionPlan<Tx, T> = {
      ...plan,
      before: this.timed([plan.before])[0] ?? plan.before,
      after: (value) => {
        if (dies) throw new NetworkFailure('broken')
        return this.timed(plan.after(value))
      },
    }
    return this.carry<T>({
      name: 'transaction',
      inProcess: true,
      work: (fault) => {
        dies = fault?.kind === 'crash-sent'
        return this.inner.transaction(timedPlan)
      },
      answered: () => undefined,
    })
  }

  within(tx: unknown): ((statements: readonly Statement[]) => Promise<Row[][]>) | undefined {
    const execute = this.inner.within(tx)
    return execute === undefined ? undefined : (statements) => execute(this.timed(statements))
  }

  classify(error: unknown): Failure {
    return error instanceof NetworkFailure ? { kind: error.kind } : this.inner.classify(error)
  }

  // The database is everybody's.
  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Sends, executes and answers one call. */
  private carry<T>(call: Call<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      new Journey(this.line, call, resolve, reject).begin()
    })
  }

  /** The database's time in place of the engine's word for it, and the sabotage of a negative control. */
  private timed(statements: readonly Statement[]): Statement[] {
    const now = this.around.databaseNow()
    const { sabotage } = this.around
    return statements.map((statement) => {
      const bound = atTime(statement, now)
      return sabotage?.statement?.(bound, nameOf(statement.sql), this.life.grantees) ?? bound
    })
  }

  /** Takes note of grants, and of writes of a holder that took effect. */
  answered(statements: readonly Statement[], names: readonly string[], rows: readonly Row[][]): void {
    names.forEach((name, at) => {
      const answer = rows[at] ?? []
      if (name === 'claim' || name === 'recover' || name === 'hand-over') {
        const lease = statements[at]?.parameters.find(isLease)
        // What could not be handed over waits in its queue.
        for (const row of answer)
          if (row['lease_id'] !== null) this.life.leases.set(String(row['id']), String(lease))
      }
      this.around.recorder.accepted(this.life, name, answer, statements[at])
    })
  }

  private channel(): NonNullable<Driver['wake']> {
    const { life, around } = this
    return {
      listen: (heard, proved) => {
        const listener = { life, heard }
        around.listeners.add(listener)
        proved(true)
        return Promise.resolve(() => {
          around.listeners.delete(listener)
          return Promise.resolve()
        })
      },
      notify: (topics) => {
        for (const listener of around.listeners) {
          const ms = around.fates.latency()
          // Hints may be lost, and nothing may depend on them.
          if (ms % 4 === 3) continue
          life.timeline.after(ms, () => {
            listener.life.reach(() => {
              listener.heard(topics)
            })
          })
        }
        return Promise.resolve()
      },
    }
  }
}

/** A call of the engine's own: statements, all or none. */
class Execution implements Call<Row[][]> {
  readonly inProcess = false

  constructor(
    readonly name: string,
    private readonly statements: readonly Statement[],
    private readonly names: readonly string[],
    private readonly network: Network<unknown>,
  ) {}

  work(): Row[][] {
    return this.network.executed(this.statements)
  }

  answered(rows: Row[][]): void {
    this.network.answered(this.statements, this.names, rows)
  }
}

function atTime(statement: Statement, now: number): Statement {
  if (!statement.parameters.includes(DATABASE_TIME)) return statement
  const parameters = statement.parameters.map((value) => (value === DATABASE_TIME ? now : value))
  return { ...statement, parameters }
}
