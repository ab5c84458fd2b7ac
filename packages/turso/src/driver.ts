import type { Transaction } from '@libsql/client'
import {
  ClosedError,
  SqliteDialect,
  type Capabilities,
  type Driver,
  type WakeChannel,
} from '@pgqrs/core/driver'
import type { LibsqlDatabase } from './database.js'
import { classify } from './failure.js'
import { within } from './transaction.js'

/** What a driver is made of. */
export interface DriverParts {
  readonly database: LibsqlDatabase
  readonly capabilities: Capabilities
  /** For messages: without a token. */
  readonly target: string
  readonly wake: WakeChannel | undefined
}

/** A libSQL database, local or remote, through @libsql/client. */
export function tursoDriver({ database, capabilities, target, wake }: DriverParts): Driver<Transaction> {
  let closing: Promise<void> | undefined
  const mustBeOpen = (): void => {
    if (closing !== undefined) throw new ClosedError(`The connection to ${target} is closed.`)
  }
  return {
    name: 'turso',
    dialect: new SqliteDialect(),
    capabilities,
    target,
    ...(wake === undefined ? {} : { wake }),
    execute: async (statements) => {
      mustBeOpen()
      return database.execute(statements)
    },
    transaction: async (plan) => {
      mustBeOpen()
      return database.transaction(plan)
    },
    within,
    classify,
    close: () => (closing ??= database.close()),
  }
}

/** What a driver for a file can do. */
export function fileCapabilities(wake: 'watch' | 'none', shared: boolean): Capabilities {
  return { wake, parallelFlushes: 1, oneWriter: true, clock: 'host', shared, schemas: false }
}

/** What a driver for a server can do: requests overlap on their way, the server takes one writer after the other. */
export function serverCapabilities(parallelFlushes: number): Capabilities {
  return { wake: 'none', parallelFlushes, oneWriter: true, clock: 'database', shared: true, schemas: false }
}
