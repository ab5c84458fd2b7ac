import type { InStatement, ResultSet, Transaction } from '@libsql/client'
import { ClosedError, PgqrsError } from '@pgqrs/core/driver'
import { endsTransaction } from './failure.js'

/**
 * The transaction that a transactional step is given. It is the step's until the callback ends; the engine alone
 * commits it or rolls it back.
 */
export class LentTransaction implements Transaction {
  private over = false
  private lost: Error | undefined

  constructor(private readonly tx: Transaction) {}

  execute(stmt: InStatement): Promise<ResultSet> {
    return this.pass(() => this.tx.execute(stmt))
  }

  batch(stmts: InStatement[]): Promise<ResultSet[]> {
    return this.pass(() => this.tx.batch(stmts))
  }

  executeMultiple(sql: string): Promise<void> {
    return this.pass(() => this.tx.executeMultiple(sql))
  }

  /** @throws PgqrsError `INVALID_STATE`, always. */
  commit(): Promise<void> {
    return Promise.reject(notYours())
  }

  /** @throws PgqrsError `INVALID_STATE`, always: throw an error to roll back. */
  rollback(): Promise<void> {
    return Promise.reject(notYours())
  }

  /** @throws PgqrsError `INVALID_STATE`, always. */
  close(): void {
    throw notYours()
  }

  get closed(): boolean {
    return this.over || this.tx.closed
  }

  /** Refuses every later use. */
  end(): void {
    this.over = true
  }

  /**
   * Checks that what the step did is still in a transaction.
   * @throws PgqrsError or the error that ended it, also where the step's code has caught that one.
   */
  mustBeOpen(): void {
    if (this.lost !== undefined) throw this.lost
    if (this.over) throw late()
    if (this.tx.closed) throw notYours()
  }

  private async pass<T>(call: () => Promise<T>): Promise<T> {
    if (this.over) throw late()
    try {
      return await call()
    } catch (error) {
      if (endsTransaction(error)) this.lost ??= error
      throw error
    }
  }
}

function late(): ClosedError {
  return new ClosedError(
    'The transaction of this step is over: await every use of tx before the callback ends.',
  )
}

function notYours(): PgqrsError {
  return new PgqrsError(
    'INVALID_STATE',
    'pgqrs ends the transaction of a step itself: return to commit, throw to roll back, and send no COMMIT or ROLLBACK.',
  )
}
