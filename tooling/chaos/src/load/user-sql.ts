import type { Database } from '@pgqrs/sqlite'
import type { Transaction } from '@libsql/client'
import type { TransactionSql } from 'postgres'

/** A statement of the user's, with `?` for its values. */
export interface UserStatement {
  readonly sql: string
  readonly values: readonly (string | number | null)[]
}

/** Executes statements of the user's in a transaction of any driver; better-sqlite3's at once. */
export function executeIn(tx: unknown, statements: readonly UserStatement[]): void | Promise<void> {
  if (isSqlite(tx)) {
    for (const { sql, values } of statements) tx.prepare(sql).run(...values)
    return
  }
  if (isLibsql(tx)) return inLibsql(tx, statements)
  if (isPostgres(tx)) return inPostgres(tx, statements)
  throw new Error('a transaction of an unknown driver')
}

async function inLibsql(tx: Transaction, statements: readonly UserStatement[]): Promise<void> {
  await tx.batch(statements.map(({ sql, values }) => ({ sql, args: [...values] })))
}

async function inPostgres(tx: TransactionSql, statements: readonly UserStatement[]): Promise<void> {
  for (const { sql, values } of statements) {
    let n = 0
    await tx.unsafe(
      sql.replaceAll('?', () => `$${++n}`),
      [...values],
    )
  }
}

function isSqlite(tx: unknown): tx is Database {
  return typeof tx === 'object' && tx !== null && 'prepare' in tx
}

function isLibsql(tx: unknown): tx is Transaction {
  return typeof tx === 'object' && tx !== null && 'batch' in tx
}

function isPostgres(tx: unknown): tx is TransactionSql {
  return typeof tx === 'function' && 'unsafe' in tx
}

/** Puts an element at the end of a list and returns the list as it is then; better-sqlite3 at once. */
export function appendTo(tx: unknown, list: string, element: number): number[] | Promise<number[]> {
  const sql = "update chaos_lists set elements = elements || ? || ',' where list = ? returning elements"
  const values = [String(element), list]
  if (isSqlite(tx)) return elementsOf(tx.prepare<string[], ListRow>(sql).get(...values))
  if (isLibsql(tx)) {
    return tx
      .execute({ sql, args: values })
      .then(({ rows }) => elementsOf({ elements: rows[0]?.['elements'] as string }))
  }
  if (isPostgres(tx)) {
    const numbered = sql.replace('?', '$1').replace('?', '$2')
    return tx.unsafe<ListRow[]>(numbered, values).then(([row]) => elementsOf(row))
  }
  throw new Error('a transaction of an unknown driver')
}

interface ListRow {
  readonly elements: string
}

function elementsOf(row: ListRow | undefined): number[] {
  return (row?.elements ?? '').split(',').filter(Boolean).map(Number)
}

/** A transfer between accounts and its witness. */
export function moveMoney(move: {
  readonly run: string
  readonly step: string
  readonly from: string
  readonly to: string
  readonly amount: number
  readonly value: string
  readonly disorderly?: boolean
}): UserStatement[] {
  const { run, step, from, to, amount, value, disorderly = false } = move
  const change = (account: string, by: number): UserStatement => ({
    sql: 'update chaos_accounts set balance = balance + ? where account = ?',
    values: [by, account],
  })
  const changes = [change(from, -amount), change(to, amount)]
  // Who takes locks in one order never deadlocks.
  if (!disorderly && from > to) changes.reverse()
  return [
    ...changes,
    {
      sql: `insert into chaos_witnesses (run, step, from_account, to_account, amount, value) values (?, ?, ?, ?, ?, ?)`,
      values: [run, step, from, to, amount, value],
    },
  ]
}

/** The row beside the messages of a transactional enqueue. */
export function witnessOf(witness: string): UserStatement {
  return { sql: 'insert into chaos_witnesses (witness) values (?)', values: [witness] }
}
