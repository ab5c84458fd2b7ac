import type { Execute } from '../db/driver.js'
import type { Row } from '../db/statement.js'

/**
 * A transaction of any library, reduced to the one thing pgqrs needs of it. Write one for a library that has no
 * adapter here: `new TransactionAdapter((sql, parameters) => tx.run(sql, parameters))`.
 */
export class TransactionAdapter {
  /** @param query executes one statement inside the transaction and returns its rows. */
  constructor(readonly query: (sql: string, parameters: readonly unknown[]) => Promise<readonly Row[]>) {}
}

/** Executes statements one after the other through an adapter. */
export function executeWith(adapter: TransactionAdapter): Execute {
  return async (statements) => {
    const rows: Row[][] = []
    for (const { sql, parameters } of statements) rows.push([...(await adapter.query(sql, parameters))])
    return rows
  }
}
