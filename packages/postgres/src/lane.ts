import type { TransactionSql } from 'postgres'
import { TimeoutError, type Clock, type Row, type Statement, type TransactionPlan } from '@pgqrs/core/driver'
import type { Connection } from './connection.js'
import { ConnectionLost, TransactionOver } from './failure.js'
import { snakeCased } from './rows.js'
import { openScope } from './transaction-tag.js'

// The server's limits only count when this process no longer does, so they must not come first.
const SERVER_GRACE_MS = 1000

/** What {@link runPlan} needs besides. */
export interface PlanRules {
  /** How long the answer to COMMIT may take, in ms. */
  readonly answerMs: number
  readonly clock: Clock
  /** Finds out what an error of a statement of ours means, and rejects with it. */
  readonly explained: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * Carries a plan out on a connection that carries nothing else meanwhile.
 * @throws TimeoutError past the plan's limit, ConnectionLost when the connection died, and what the plan throws.
 */
export async function runPlan<T>(
  connection: Connection,
  plan: TransactionPlan<TransactionSql, T>,
  { answerMs, clock, explained }: PlanRules,
): Promise<T> {
  const { limitMs } = plan
  const ours = (statement: Statement): Promise<Row[]> =>
    explained(async () => snakeCased(await connection.run(statement)))
  const stop = clock.after(limitMs, () => {
    connection.cancel()
    connection.kill(new TimeoutError(`The transaction took longer than ${limitMs} ms and was rolled back.`))
  })
  const serverMs = Math.ceil(limitMs + SERVER_GRACE_MS)
  const settings =
    // The last user may have left some behind.
    `reset all; set local statement_timeout = ${serverMs}; ` +
    `set local idle_in_transaction_session_timeout = ${serverMs}`
  try {
    return await transaction(connection, settings, answerMs, async () => {
      plan.check(await ours(plan.before))
      const value = plainRows(await userPart(connection, plan))
      const rows: Row[][] = []
      for (const statement of plan.after(value)) rows.push(await ours(statement))
      plan.checkAfter(rows)
      // From here on a limit would make it unknown whether the transaction counts.
      stop()
      return value
    })
  } finally {
    stop()
  }
}

/**
 * Executes statements as one transaction, which leaves as a whole: one trip. What follows a statement that fails does
 * nothing, and COMMIT rolls back then.
 * @param answerMs how long it may take.
 */
export async function runTogether(
  connection: Connection,
  statements: readonly Statement[],
  answerMs: number,
): Promise<Row[][]> {
  const begun = connection.command('begin', answerMs)
  const answers = statements.map((statement) => connection.run(statement, answerMs))
  const ended = connection.command('commit', answerMs)
  // Nobody else gets the connection before all of it is answered.
  const settled = await Promise.allSettled([begun, ended, ...answers])
  const failed = settled.find((one) => one.status === 'rejected')
  if (failed === undefined) return Promise.all(answers)
  if (connection.death !== undefined) throw connection.death
  await rollback(connection, answerMs)
  throw failed.reason
}

async function transaction<T>(
  connection: Connection,
  settings: string,
  answerMs: number,
  work: () => Promise<T>,
): Promise<T> {
  try {
    // Its answer is not waited for: the first statement travels with it. BEGIN comes first, so that whatever fails
    // in this line, what follows is never on its own.
    const begun = connection.command(`begin; ${settings}`, answerMs)
    const [value] = await Promise.all([work(), begun])
    const tag = await connection.command('commit', answerMs)
    if (tag !== 'COMMIT')
      throw new TransactionOver('A statement of the transaction failed, so it was rolled back.')
    return value
  } catch (error) {
    // Why the connection died says more than what its death did to the callback.
    if (connection.death !== undefined) throw connection.death
    await rollback(connection, answerMs)
    throw error
  }
}

async function rollback(connection: Connection, answerMs: number): Promise<void> {
  try {
    if (connection.status !== 'I') await connection.command('rollback', answerMs)
  } catch (error) {
    connection.kill(new ConnectionLost('the transaction could not be rolled back', true, error))
  }
}

async function userPart<T>(connection: Connection, plan: TransactionPlan<TransactionSql, T>): Promise<T> {
  const scope = openScope(connection)
  try {
    const value = await connection.untilDeath(worked(plan, scope.tx))
    await scope.finish()
    return value
  } finally {
    await scope.abandon()
  }
}

async function worked<T>(plan: TransactionPlan<TransactionSql, T>, tx: TransactionSql): Promise<T> {
  return plan.work(tx)
}

// A result of postgres.js is a subclass of Array, which the codec would refuse; its rows are what was meant.
function plainRows<T>(value: T): T {
  if (!Array.isArray(value) || !('statement' in value && 'command' in value)) return value
  return [...(value as unknown[])] as T
}
