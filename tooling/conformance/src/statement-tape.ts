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

  /** What was sent since the last {@link rewind}, one list for each trip to the database. */
  get trips(): readonly (readonly Taped[])[] {
    return this.sent
  }

  /** Every statement of these trips, in the order of their answers. */
  get statements(): readonly Taped[] {
    return this.sent.flat()
  }

  /** Forgets everything. */
  rewind(): void {
    this.sent = []
  }

  readonly wrapDriver = (driver: Driver): Driver =>
    interpose(driver, {
      execute: async (statements) => {
        const answers = await driver.execute(statements)
        this.tape(statements.flatMap((statement, i) => counted(statement, answers[i] ?? [])))
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
  return idling.has(taped) || (taped === 'claim' && rows.length === 0) ? [] : [taped]
}
