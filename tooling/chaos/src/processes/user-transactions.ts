import type { TransactionSql } from 'postgres'
import type { DriverTransaction } from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { executeIn, type UserStatement } from '../load/user-sql.js'
import type { ProcessSetup } from './setup.js'

/** What ends a transaction that is not to be committed. */
class RolledBack extends Error {}

/** How a transaction of the user's ended, and why it did not end well. */
export interface Ended {
  readonly how: 'committed' | 'rolled back' | 'unknown'
  readonly error?: string
}

/**
 * Does `work` in a transaction of the application's own client, beside a statement of the user's, and commits it or
 * rolls it back.
 * @param driver the store's own, whose transactions Postgres uses
 */
export async function inOwnTransaction(
  driver: Driver,
  setup: ProcessSetup,
  statement: UserStatement,
  commits: boolean,
  work: (tx: DriverTransaction) => Promise<unknown>,
): Promise<Ended> {
  const progress = { committing: false }
  const whole = async (tx: DriverTransaction): Promise<void> => {
    await executeIn(tx, [statement])
    await work(tx)
    if (!commits) throw new RolledBack()
    progress.committing = true
  }
  try {
    await transactions[setup.store](driver, setup.dsn, whole)
    return { how: 'committed' }
  } catch (error) {
    if (error instanceof RolledBack) return { how: 'rolled back', error: 'on purpose' }
    return { how: progress.committing ? 'unknown' : 'rolled back', error: String(error) }
  }
}

const transactions: Record<
  ProcessSetup['store'],
  (driver: Driver, dsn: string, work: (tx: DriverTransaction) => Promise<void>) => Promise<void>
> = {
  sqlite: (_, dsn, work) => oneAfterTheOther(() => inSqlite(dsn.replace(/^sqlite:/, ''), work)),
  // Not postgres.js's own begin(): it throws where nobody can catch it when its backend dies (porsager/postgres #1208).
  postgres: async (driver, _, work) => {
    await driver.transaction({
      before: { sql: 'select 1', parameters: [], reads: true },
      check: () => undefined,
      work: (tx) => work(tx as TransactionSql),
      after: () => [],
      checkAfter: () => undefined,
      limitMs: 8000,
    })
  },
  turso: async (_, dsn, work) => {
    const { createClient } = await import('@libsql/client')
    const client = createClient({ url: dsn })
    try {
      const tx = await within(8000, client.transaction('write'))
      try {
        await within(8000, work(tx))
        await within(8000, tx.commit())
      } catch (error) {
        // A client that is closed at once would leave the server with the transaction and its lock.
        await within(8000, tx.rollback()).catch(() => undefined)
        throw error
      } finally {
        tx.close()
      }
    } finally {
      client.close()
    }
  },
}

/** The clients themselves know no end to waiting for an answer. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms} ms`))
    }, ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

let last: Promise<unknown> = Promise.resolve()

/** Two transactions of one process would wait for each other's lock without ever giving each other a turn. */
function oneAfterTheOther<T>(work: () => Promise<T>): Promise<T> {
  const done = last.then(work, work)
  last = done.catch(() => undefined)
  return done
}

async function inSqlite(file: string, work: (tx: DriverTransaction) => Promise<void>): Promise<void> {
  const { default: BetterSqlite3 } = await import('better-sqlite3')
  const db = new BetterSqlite3(file, { timeout: 50 })
  try {
    db.pragma('synchronous = full')
    db.exec('begin immediate')
    try {
      await work(db)
      db.exec('commit')
    } catch (error) {
      if (db.inTransaction) db.exec('rollback')
      throw error
    }
  } finally {
    db.close()
  }
}
