import type { InStatement, Transaction } from '@libsql/client'
import {
  withinLimit,
  type Clock,
  type Execute,
  type Row,
  type Statement,
  type TransactionPlan,
} from '@pgqrs/core/driver'
import { LentTransaction } from './lent-transaction.js'
import { bind, engineRows, plainValue } from './values.js'

const WHY_A_LIMIT = 'it holds the only write lock of the database. Do slow work in a step before it.'

/** Executes statements of the engine in an open transaction. */
export async function executeIn(tx: Transaction, statements: readonly Statement[]): Promise<Row[][]> {
  return (await tx.batch(statements.map(bind))).map(engineRows)
}

/**
 * Everything of a plan between BEGIN and COMMIT, which are the caller's.
 * @throws TimeoutError when it takes longer than the plan's limit; what the plan's functions throw.
 */
export async function carryOut<T>(
  plan: TransactionPlan<Transaction, T>,
  tx: Transaction,
  clock: Clock,
): Promise<T> {
  const lent = new LentTransaction(tx)
  const parts = async (): Promise<T> => {
    const [rows = []] = await executeIn(tx, [plan.before])
    plan.check(rows)
    // The type says what the callback returns; a replay cannot bring a ResultSet back, only its rows.
    const value = plainValue(await plan.work(lent)) as T
    lent.mustBeOpen()
    plan.checkAfter(await executeIn(tx, plan.after(value)))
    return value
  }
  try {
    return await withinLimit(parts(), plan.limitMs, clock, WHY_A_LIMIT)
  } finally {
    lent.end()
  }
}

/** Executes statements inside a transaction of the caller's, all or none; undefined when it is no libSQL transaction. */
export function within(tx: unknown): Execute | undefined {
  if (!isTransaction(tx)) return undefined
  return async (statements) => {
    if (statements.length < 2) return executeIn(tx, statements)
    await tx.execute('savepoint pgqrs')
    try {
      const rows = await executeIn(tx, statements)
      await tx.execute('release pgqrs')
      return rows
    } catch (error) {
      await undo(tx)
      throw error
    }
  }
}

// Where the whole transaction is gone already, so is the savepoint: the error that ended it is the one to tell.
async function undo(tx: Transaction): Promise<void> {
  const statements: InStatement[] = ['rollback to pgqrs', 'release pgqrs']
  await tx.batch(statements).catch(() => undefined)
}

function isTransaction(tx: unknown): tx is Transaction {
  return (
    typeof tx === 'object' &&
    tx !== null &&
    ['execute', 'batch', 'executeMultiple', 'commit', 'rollback'].every(
      (name) => typeof (tx as Record<string, unknown>)[name] === 'function',
    ) &&
    'closed' in tx
  )
}
