import type { Sql, TransactionSql } from 'postgres'
import type { TransactionPlan } from '@pgqrs/core/driver'
import type { PostgresDriver } from '../src/driver.js'
import { client, database, driverFor } from './database.js'

/** What the tests of transactions stand on. */
export interface Setting {
  readonly dsn: string
  readonly admin: Sql
  readonly driver: PostgresDriver
}

/** A database with a table `notes`, and a driver on it. */
export async function setting(): Promise<Setting> {
  const dsn = await database()
  const admin = client(dsn)
  await admin`create table notes (who text)`
  return { dsn, admin, driver: driverFor(dsn) }
}

/** A plan that leaves a checkpoint in `notes`. */
export function plan<T>(
  work: (tx: TransactionSql) => T | Promise<T>,
  rest: Partial<TransactionPlan<TransactionSql, T>> = {},
): TransactionPlan<TransactionSql, T> {
  return {
    before: { sql: 'select $1::int as first', parameters: [1], reads: false },
    check: () => {},
    work,
    after: () => [{ sql: 'insert into notes values ($1)', parameters: ['checkpoint'], reads: false }],
    checkAfter: () => {},
    limitMs: 20_000,
    ...rest,
  }
}

/** What is in `notes`. */
export async function notes(sql: Sql): Promise<string[]> {
  return (await sql<{ who: string }[]>`select who from notes order by who`).map(({ who }) => who)
}
