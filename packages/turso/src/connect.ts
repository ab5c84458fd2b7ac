import type { Client, Transaction } from '@libsql/client'
import {
  checkKeys,
  ConfigError,
  configKeys,
  configuredDsn,
  openStore,
  resolveConfig,
  storeOptionKeys,
  type ConfigInput,
  type Driver,
  type Store,
  type StoreOptions,
} from '@pgqrs/core/driver'
import { openClient, openTarget, type ClientOptions, type DriverSettings } from './open.js'
import { mustExist, parseTarget, type Target } from './target.js'

declare global {
  interface PgqrsTransactions {
    turso: Transaction
  }
}

/** What {@link connect} can be told. */
export interface TursoOptions extends ConfigInput, StoreOptions {
  /**
   * The application's own client. Closing the store leaves it open. On a file its connections get `synchronous = FULL`
   * and, unless `sqliteWal` is false, write-ahead logging. Writes of other processes are then found by polling alone,
   * and `intMode: 'string'` is refused.
   */
  readonly client?: Client
  /** Token for a remote database. Default: the environment's `TURSO_AUTH_TOKEN`. */
  readonly authToken?: string
  /**
   * Makes a file an embedded replica of this remote database. Passed on to the client, and untested: a replica cannot
   * be created without a sync server that can be reached.
   */
  readonly syncUrl?: string
  /** Embedded replica: seconds between two syncs. */
  readonly syncInterval?: number
  /** Key of an encrypted file. Passed on to the client, and untested. */
  readonly encryptionKey?: string
}

const clientKeys = ['authToken', 'syncUrl', 'syncInterval', 'encryptionKey'] as const

/**
 * Connects to a libSQL database: a local file, `:memory:`, or a remote one as Turso hosts them.
 *
 * Another process, also one that uses better-sqlite3, may work on the same file at the same time. What is said of remote
 * databases is tested against a stand-in server with the real libSQL engine, not against Turso's own.
 * @param target a DSN (`file:app.db`, `libsql://…`, `https://…`, `http://…`, `wss://…`, `ws://…`, each also behind
 * `turso:`, and `turso:app.db`), the application's client, or options. Default: the configuration.
 * @throws ConfigError when the address, a token or an option cannot be right.
 */
export async function connect(target: string | Client | TursoOptions = {}): Promise<Store<Transaction>> {
  const options = toOptions(target)
  checkKeys(options, [...configKeys, ...storeOptionKeys, 'client', ...clientKeys], 'connect')
  const { config } = resolveConfig(options)
  const driver = await openDriver(options, config)
  try {
    return await openStore(driver, config, options)
  } catch (error) {
    await driver.close()
    throw error
  }
}

function toOptions(target: string | Client | TursoOptions): TursoOptions {
  if (typeof target === 'string') return { dsn: target }
  return meansClient(target) ? { client: target } : target
}

/** Whatever executes statements is meant as a client, and is told so when it is none of libSQL's. */
function meansClient(target: Client | TursoOptions): target is Client {
  return typeof (target as { execute?: unknown } | null)?.execute === 'function'
}

async function openDriver(
  options: TursoOptions,
  config: DriverSettings & { readonly dsn: string | undefined },
): Promise<Driver<Transaction>> {
  if (options.client !== undefined) {
    if (!isClient(options.client)) {
      throw new ConfigError('connect: client must be a client of @libsql/client. Give a DSN instead.')
    }
    const useless = ['dsn' as const, ...clientKeys].find((name) => options[name] !== undefined)
    if (useless !== undefined)
      throw new ConfigError(`connect: ${useless} has no meaning beside a client of your own.`)
    return openClient(options.client, config)
  }
  const target = parseTarget(configuredDsn(config, 'a DSN such as file:app.db'))
  if (options.syncUrl !== undefined && target.kind !== 'file') {
    throw new ConfigError('connect: syncUrl needs a file, which it makes a replica.')
  }
  if (options.create === false && target.kind === 'file') mustExist(target)
  return openTarget(target, clientOptions(options, target), config)
}

function clientOptions(options: TursoOptions, target: Target): ClientOptions {
  const { syncUrl, syncInterval, encryptionKey } = options
  const remote = target.kind === 'remote' || syncUrl !== undefined
  const authToken = remote ? tokenFor(options, target) : undefined
  return {
    ...(authToken === undefined ? {} : { authToken }),
    ...(syncUrl === undefined ? {} : { syncUrl }),
    ...(syncInterval === undefined ? {} : { syncInterval }),
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
  }
}

function tokenFor(options: TursoOptions, target: Target): string | undefined {
  const fromEnvironment = process.env['TURSO_AUTH_TOKEN']
  const token =
    options.authToken ?? target.authToken ?? (fromEnvironment === '' ? undefined : fromEnvironment)
  // The platform's error for such a token, when it is sent, would show it.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError('authToken must be printable ASCII without a space or a line break, and not empty.')
  }
  return token
}

function isClient(value: unknown): value is Client {
  return (
    typeof value === 'object' &&
    value !== null &&
    'execute' in value &&
    'transaction' in value &&
    'protocol' in value
  )
}
