import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Transaction } from '@libsql/client'
import type { Driver, Statement, TransactionPlan } from '@pgqrs/core/driver'
import { startLibsqlServer, type LibsqlServer } from '@pgqrs/test-database'
import { onTestFinished } from 'vitest'
import { openTarget, type DriverSettings } from '../src/open.js'
import { parseTarget } from '../src/target.js'

/** The path of a database file that does not exist yet and goes with the test. */
export async function newFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'pgqrs-turso-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'test.db')
}

/** A driver that is closed when the test ends. */
export function driverFor(
  dsn: string,
  settings: Partial<DriverSettings> = {},
  authToken?: string,
): Driver<Transaction> {
  const driver = openTarget(parseTarget(dsn), authToken === undefined ? {} : { authToken }, {
    connectionTimeoutMs: 10_000,
    maxConnections: 10,
    sqliteWal: true,
    ...settings,
  })
  onTestFinished(() => driver.close())
  return driver
}

/** A stand-in server that is stopped when the test ends. */
export async function newServer(token?: string): Promise<LibsqlServer> {
  const server = await startLibsqlServer(token === undefined ? {} : { token })
  onTestFinished(() => server.stop())
  return server
}

/** A statement that writes. */
export function write(sql: string, ...parameters: unknown[]): Statement {
  return { sql, parameters, reads: false }
}

/** A statement that reads. */
export function read(sql: string, ...parameters: unknown[]): Statement {
  return { sql, parameters, reads: true }
}

/** What `select v from t` returns through the driver. */
export async function valuesOf(driver: Driver<Transaction>): Promise<unknown[]> {
  const [rows = []] = await driver.execute([read('select v from t order by v')])
  return rows.map((row) => row['v'])
}

/** Creates the table `t` with a unique column `v`. */
export async function createTable(driver: Driver<Transaction>): Promise<void> {
  await driver.execute([write('create table if not exists t (v text unique)')])
}

/** A plan that notes `before` and `after` around the work. */
export function planFor<T>(
  work: (tx: Transaction) => T | Promise<T>,
  rest: Partial<TransactionPlan<Transaction, T>> = {},
): TransactionPlan<Transaction, T> {
  return {
    before: write("insert into t values ('before')"),
    check: () => undefined,
    work,
    after: () => [write("insert into t values ('after')")],
    checkAfter: () => undefined,
    limitMs: 5000,
    ...rest,
  }
}

/** The error a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('it did not fail')
}
