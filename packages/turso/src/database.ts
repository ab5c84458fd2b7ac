import type { Transaction } from '@libsql/client'
import type { Clock, Execute, Random, TransactionPlan } from '@pgqrs/core/driver'

/** The two ways to execute something, for a file and for a server. */
export interface LibsqlDatabase {
  readonly execute: Execute
  transaction<T>(plan: TransactionPlan<Transaction, T>): Promise<T>
  /** Resolves when nothing runs any more and what we opened is closed. */
  close(): Promise<void>
}

/** What every database needs besides its client. */
export interface Surroundings {
  /** How long to wait for another's lock, or for an answer, in ms. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
}
