import type { TransactionSql } from 'postgres'
import type { Execute, Row } from '@pgqrs/core/driver'
import { snakeCased } from './rows.js'

/**
 * Executes inside a transaction of the caller's: the handle of `sql.begin`, `sql.reserve` or `run.transaction`.
 * Undefined for everything else, in particular for a client itself, whose statements would commit one by one.
 */
export function within(tx: unknown): Execute | undefined {
  if (!isTransaction(tx)) return undefined
  return async (statements) => {
    const rows: Row[][] = []
    for (const { sql, parameters } of statements) {
      rows.push(snakeCased(await tx.unsafe<Row[]>(sql, parameters as never[], { prepare: true })))
    }
    return rows
  }
}

function isTransaction(tx: unknown): tx is Pick<TransactionSql, 'unsafe'> {
  return typeof tx === 'function' && 'unsafe' in tx && typeof tx.unsafe === 'function' && !('begin' in tx)
}
