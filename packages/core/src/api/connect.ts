import type { ConfigInput } from '../config/settings.js'
import { configKeys } from '../config/settings.js'
import { configuredDsn } from '../config/configured-dsn.js'
import { findPackage, isMissing } from '../config/load-package.js'
import { resolveConfig, type ConfigPlaces } from '../config/resolve.js'
import { settled } from '../config/settled.js'
import { ConfigError, DriverMissingError } from '../errors.js'
import { checkKeys, display, suggestion } from '../names.js'
import { storeOptionKeys, type StoreOptions } from './open-store.js'
import type { DriverTransaction } from '../transaction/types.js'
import type { Store } from './store.js'

/** Options of {@link connect}: any setting, and a configuration file to read. */
export interface ConnectOptions extends ConfigInput, StoreOptions {
  /** Read this file instead of `pgqrs.yaml`. It must exist. */
  readonly config?: string
}

/** Which package speaks to which database. */
const packages: Readonly<Record<string, string>> = {
  postgres: '@pgqrs/postgres',
  postgresql: '@pgqrs/postgres',
  sqlite: '@pgqrs/sqlite',
  turso: '@pgqrs/turso',
  libsql: '@pgqrs/turso',
  file: '@pgqrs/turso',
  http: '@pgqrs/turso',
  https: '@pgqrs/turso',
  ws: '@pgqrs/turso',
  wss: '@pgqrs/turso',
}

/**
 * Connects to the database a DSN names, through the installed driver for its scheme; without an argument, to the
 * configured one.
 *
 * ```ts
 * const store = await connect('postgresql://localhost/app')
 * const configured = await connect()   // PGQRS_DSN, pgqrs.yaml or DATABASE_URL
 * ```
 * @typeParam Tx the transaction of that driver; by default that of every driver the program imports
 * @throws DriverMissingError that names the package to install
 * @throws ConfigError for a DSN nobody understands
 */
export async function connect<Tx = DriverTransaction>(target?: string | ConnectOptions): Promise<Store<Tx>> {
  const given: ConnectOptions = typeof target === 'string' ? { dsn: target } : (target ?? {})
  checkKeys(given, ['config', ...configKeys, ...storeOptionKeys], 'connect')
  const { config: file, ...options } = given
  const places: ConfigPlaces = file === undefined ? {} : { file }
  const { config } = resolveConfig(options, places)
  const driver = await loadDriver<Tx>(driverPackage(configuredDsn(config)))
  return driver.connect({ ...options, ...settled(config) })
}

/** Name of the package for a DSN. @throws ConfigError */
export function driverPackage(dsn: string): string {
  if (dsn === ':memory:') return '@pgqrs/sqlite'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(dsn)?.[1]?.toLowerCase()
  const known = [...Object.keys(packages).map((name) => `${name}:`), ':memory:']
  if (scheme === undefined) {
    throw new ConfigError(`The DSN has no scheme. Begin it with one of ${known.join(' ')}`)
  }
  const name = Object.hasOwn(packages, scheme) ? packages[scheme] : undefined
  if (name === undefined) {
    throw new ConfigError(
      `No driver knows the scheme ${display(`${scheme}:`)}.${suggestion(`${scheme}:`, known)} Known: ${known.join(' ')}`,
    )
  }
  return name
}

interface DriverModule<Tx> {
  connect(options: ConnectOptions): Promise<Store<Tx>>
}

async function loadDriver<Tx>(name: string): Promise<DriverModule<Tx>> {
  const client = clients[name] ?? ''
  const load = findPackage(name)
  if (load === undefined) {
    throw new DriverMissingError(
      `The driver ${name} is not installed. Run: npm install ${name} ${installable(client)}`,
    )
  }
  try {
    return (await load()) as DriverModule<Tx>
  } catch (cause) {
    if (!isMissing(cause, client)) throw cause
    throw new DriverMissingError(
      `The driver ${name} needs ${client}, which is not installed. Run: npm install ${installable(client)}`,
      { cause },
    )
  }
}

const clients: Readonly<Record<string, string>> = {
  '@pgqrs/postgres': 'postgres',
  '@pgqrs/sqlite': 'better-sqlite3',
  '@pgqrs/turso': '@libsql/client',
}

// The newest better-sqlite3 ends a process of Node 20 without a word.
function installable(client: string): string {
  const isOldNode = Number(process.versions.node.split('.', 1)[0]) < 22
  return client === 'better-sqlite3' && isOldNode ? `${client}@12` : client
}
