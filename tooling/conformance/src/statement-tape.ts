import type { Driver, Row, Statement } from '@pgqrs/core/driver'
import { transitionOf, type Transition } from './crash-points.js'
import { interpose } from './interpose.js'

/** A transition, the COMMIT of a user's transaction, or the text of any other statement. */
type Taped = Transition | 'transaction' | (string & {})

// A worker sends these whether or not it has anything to do: by the clock, and when it hears of any commit.
const idling: ReadonlySet<Taped> = new Set<Taped>(['nextDue', 'heartbeat', 'lookForCancels', 'lookAtWorker'])

/**
 * For `connect({ wrapDriver })`: writes down what a store sends. What a worker sends while it has nothing to do, its
 * claims that took nothing included, is left out.
 */
export class StatementTape {
  private sent: Taped[][] = []
  private empty = 0

  /** What was sent since the last {@link rewind}, one list for each trip to the database. */
  get trips(): readonly (readonly Taped[])[] {
    return this.sent
  }

  /** Every statement of these trips, in the order of their answers. */
  get statements(): readonly Taped[] {
    return this.sent.flat()
  }

  /** How many claims have taken nothing since the last {@link rewind}. */
  get looks(): number {
    return this.empty
  }

  /** Forgets everything. */
  rewind(): void {
    this.sent = []
    this.empty = 0
  }

  readonly wrapDriver = (driver: Driver): Driver =>
    interpose(driver, {
      execute: async (statements) => {
        const answers = await driver.execute(statements)
        const found = statements.map((statement, i) => ({ statement, rows: answers[i] ?? [] }))
        this.empty += found.filter(({ statement, rows }) => tookNothing(statement, rows)).length
        this.tape(found.flatMap(({ statement, rows }) => counted(statement, rows)))
        return answers
      },
      transaction: async (plan) => {
        const value = await driver.transaction(plan)
        this.tape(['transaction'])
        return value
      },
    })

  private tape(trip: Taped[]): void {
    if (trip.length > 0) this.sent.push(trip)
  }
}

function counted(statement: Statement, rows: readonly Row[]): Taped[] {
  const taped = transitionOf(statement) ?? statement.sql
  return idling.has(taped) || tookNothing(statement, rows) ? [] : [taped]
}

function tookNothing(statement: Statement, rows: readonly Row[]): boolean {
  return rows.length === 0 && transitionOf(statement) === 'claim'
}
