import type { Sql, TransactionSql } from 'postgres'
import {
  checkKeys,
  configKeys,
  configuredDsn,
  openStore,
  resolveConfig,
  storeOptionKeys,
  type ConfigInput,
  type Store,
  type StoreOptions,
} from '@pgqrs/core/driver'
import { PostgresDriver } from './driver.js'
import { parametersOfClient, parametersOfDsn } from './parameters.js'

declare global {
  interface PgqrsTransactions {
    postgres: TransactionSql
  }
}

/** Everything {@link connect} can be told. What is left out comes from the configuration. */
export interface PostgresOptions extends ConfigInput, StoreOptions {
  /**
   * The application's own postgres.js client, in place of a DSN. pgqrs opens connections of its own with this
   * client's options and never closes the client.
   */
  readonly client?: Sql
  /** False behind PgBouncer in transaction mode. Default: true, unless the client or the DSN says false. */
  readonly prepare?: boolean
  /** Where to listen for wake-ups when the DSN leads through a pooler: a DSN of the server itself. */
  readonly listenDsn?: string
  /** Whether to listen for wake-ups at all; others are told in any case. Default true. */
  readonly listen?: boolean
}

const ownKeys = ['client', 'prepare', 'listenDsn', 'listen'] as const satisfies (keyof PostgresOptions)[]

/**
 * Opens a store in Postgres.
 * @param target a DSN, an own postgres.js client, or options. Default: the configuration.
 * @throws ConfigError when an option or the DSN cannot be right. The DSN is never repeated.
 */
export async function connect(target: string | Sql | PostgresOptions = {}): Promise<Store<TransactionSql>> {
  const given = optionsOf(target)
  checkKeys(given, [...configKeys, ...storeOptionKeys, ...ownKeys], 'connect')
  const { client, prepare = true, listenDsn, listen = true, ...options } = given
  const { config } = resolveConfig(options)
  const parameters =
    client === undefined
      ? parametersOfDsn(configuredDsn(config, 'a DSN or a client'), prepare)
      : parametersOfClient(client, prepare)
  const listenParameters = listenDsn === undefined ? parameters : parametersOfDsn(listenDsn, prepare)
  const driver = new PostgresDriver({
    parameters,
    listen: listen && listenParameters,
    schema: config.schema,
    maxConnections: config.maxConnections,
    connectionTimeoutMs: config.connectionTimeoutMs,
  })
  // The store needs no DSN any more, and what it does not hold it cannot show.
  return openStore(driver, { ...config, dsn: undefined }, options)
}

function optionsOf(target: string | Sql | PostgresOptions): PostgresOptions {
  if (typeof target === 'string') return { dsn: target }
  return meansClient(target) ? { client: target } : target
}

/** Whatever executes queries is meant as a client, and is told so when it is none of postgres.js's. */
function meansClient(target: Sql | PostgresOptions): target is Sql {
  return typeof target === 'function' || typeof (target as { query?: unknown } | null)?.query === 'function'
}
