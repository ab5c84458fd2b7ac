import { randomBytes } from 'node:crypto'
import postgres, { type Sql } from 'postgres'
import { inject, onTestFinished } from 'vitest'
import type {} from '@pgqrs/test-database/vitest-global'
import { systemClock, type Clock } from '@pgqrs/core/driver'
import { PostgresDriver, type DriverSettings } from '../src/driver.js'
import { parametersOfDsn } from '../src/parameters.js'

/** A superuser's dsn of the run's server. */
export function serverDsn(): string {
  return inject('postgresDsn')
}

/** A client that is closed when the test ends. */
export function client(dsn: string, options: postgres.Options<Record<string, never>> = {}): Sql {
  const sql = postgres(dsn, { max: 3, onnotice: () => {}, ...options })
  onTestFinished(() => sql.end({ timeout: 1 }))
  return sql
}

/** A database of its own, empty at first. */
export interface CreatedDatabase {
  readonly dsn: string
  /** Drops it, connections and all. */
  drop(): Promise<void>
}

/** A new, empty database. */
export async function createDatabase(): Promise<CreatedDatabase> {
  const name = `pgqrs_driver_${randomBytes(6).toString('hex')}`
  const server = postgres(serverDsn(), { max: 1, onnotice: () => {} })
  await server.unsafe(`create database ${name} template template0`)
  return {
    dsn: at(serverDsn(), { database: name }),
    async drop() {
      await server.unsafe(`drop database if exists ${name} with (force)`)
      await server.end({ timeout: 1 })
    },
  }
}

/** A new, empty database that is dropped when the test ends. */
export async function database(): Promise<string> {
  const created = await createDatabase()
  onTestFinished(() => created.drop())
  return created.dsn
}

/** The same dsn with other parts. */
export function at(
  dsn: string,
  parts: { database?: string; user?: string; password?: string; port?: number },
): string {
  const url = new URL(dsn)
  if (parts.database !== undefined) url.pathname = `/${parts.database}`
  if (parts.user !== undefined) url.username = parts.user
  if (parts.password !== undefined) url.password = parts.password
  if (parts.port !== undefined) url.port = String(parts.port)
  return url.href
}

/** A driver that is closed when the test ends. */
export function driverFor(dsn: string, settings: Partial<DriverSettings> = {}): PostgresDriver {
  const driver = new PostgresDriver({
    parameters: parametersOfDsn(dsn, true),
    listen: false,
    schema: undefined,
    maxConnections: 10,
    connectionTimeoutMs: 5000,
    ...settings,
  })
  onTestFinished(() => driver.close())
  return driver
}

/** Collects what would end a process, until the test ends. */
export function strayErrors(): unknown[] {
  const errors: unknown[] = []
  const listen = (error: unknown): void => void errors.push(error)
  process.on('uncaughtException', listen)
  process.on('unhandledRejection', listen)
  onTestFinished(() => {
    process.off('uncaughtException', listen)
    process.off('unhandledRejection', listen)
  })
  return errors
}

/** Settles like the promise, or says that it did not. */
export async function settled(promise: Promise<unknown>, withinMs = 10_000): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const never = new Promise<string>((resolve) => (timer = setTimeout(resolve, withinMs, 'never settled')))
  const outcome = promise.then(
    () => 'fulfilled',
    (error: unknown) => `rejected: ${error instanceof Error ? error.message : String(error)}`,
  )
  try {
    return await Promise.race([outcome, never])
  } finally {
    clearTimeout(timer)
  }
}

/** A promise and how to fulfil it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((r) => (resolve = r))
  return { promise, resolve }
}

/** The system's clock with timers of other lengths. */
export function hastyClock(length: (ms: number, background: boolean) => number): Clock {
  return {
    databaseNow: () => null,
    wallNow: () => systemClock.wallNow(),
    monotonic: () => systemClock.monotonic(),
    after: (ms, callback, options) =>
      systemClock.after(length(ms, options?.background === true), callback, options),
    settle: () => systemClock.settle(),
  }
}
