import {
  checkKeys,
  configKeys,
  ConfigError,
  configuredDsn,
  display,
  openStore,
  resolveConfig,
  storeOptionKeys,
  systemClock,
  systemRandom,
  type Config,
  type ConfigInput,
  type Store,
  type StoreOptions,
} from '@pgqrs/core/driver'
import { existsSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { isDatabase, SqliteDriver, type Database } from './driver.js'

declare global {
  interface PgqrsTransactions {
    sqlite: Database
  }
}

/** Options of {@link connect}: any setting, and what only SQLite has. */
export interface SqliteOptions extends ConfigInput, StoreOptions {
  /** The application's own database. It is not closed by `store.close()`, and none of its settings are changed. */
  readonly client?: Database
  /**
   * `full` (default): what is acknowledged survives a loss of power. `normal`: the last moments may be lost then,
   * never the consistency of the file.
   */
  readonly synchronous?: 'full' | 'normal'
}

// A try that meets another process's lock blocks the event loop for this long; the waiting happens between tries.
const BLOCK_AT_MOST_MS = 5

/**
 * Opens a SQLite database for pgqrs: `sqlite:app.db`, `sqlite:///var/lib/app.db`, a path, or `:memory:`.
 *
 * ```ts
 * const store = await connect('sqlite:app.db')
 * const shared = await connect({ client: new Database('app.db') })
 * ```
 * @throws ConfigError for a DSN that names no file, or a file that cannot be opened, or must be there and is not
 */
export function connect(target?: string | Database | SqliteOptions): Promise<Store<Database>> {
  try {
    return open(optionsOf(target))
  } catch (error) {
    return Promise.reject(error)
  }
}

function optionsOf(target: string | Database | SqliteOptions | undefined): SqliteOptions {
  if (typeof target === 'string') return { dsn: target }
  if (target === undefined) return {}
  return meansClient(target) ? { client: target } : target
}

/** Whatever prepares statements is meant as a client, and is told so when it is none of better-sqlite3's. */
function meansClient(target: Database | SqliteOptions): target is Database {
  return typeof (target as { prepare?: unknown } | null)?.prepare === 'function'
}

function open(options: SqliteOptions): Promise<Store<Database>> {
  checkKeys(options, [...configKeys, ...storeOptionKeys, 'client', 'synchronous'], 'connect')
  const { client, synchronous, clock, random, create, wrapDriver, ...settings } = options
  const { config } = resolveConfig(settings)
  if (!['full', 'normal', undefined].includes(synchronous)) {
    throw new ConfigError(`synchronous must be full or normal. Got ${display(synchronous)}.`)
  }
  if (client !== undefined && !isDatabase(client)) {
    throw new ConfigError(
      'connect: client must be a Database of better-sqlite3. Give the DSN of its file instead.',
    )
  }
  if (config.schema !== undefined) throw new ConfigError('schema: SQLite has no schemas. Leave it out.')
  const path =
    client === undefined ? fileOf(configuredDsn(config, 'a DSN such as sqlite:app.db')) : client.name
  const isFile = path !== ':memory:' && path !== ''
  const openFile = (): Database =>
    openDatabase(path, synchronous ?? 'full', config, isFile && create === false)
  const driver = new SqliteDriver({
    db: client ?? openFile(),
    another: isFile ? openFile : undefined,
    owned: client === undefined,
    busyMs: config.connectionTimeoutMs,
    clock: clock ?? systemClock,
    random: random ?? systemRandom,
  })
  return openStore(driver, config, options)
}

/** The file a DSN names. */
function fileOf(dsn: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(dsn)?.[1]?.toLowerCase()
  if (dsn === ':memory:' || (scheme === undefined && dsn !== '')) return dsn
  if (scheme !== 'sqlite') {
    throw new ConfigError(
      `${display(`${scheme ?? ''}:`)} is not the scheme of a SQLite file. Write sqlite:app.db or :memory:.`,
    )
  }
  const file = dsn.slice('sqlite:'.length).replace(/^\/\/(?=\/|[^/])/, '')
  if (file === '' || file.includes('\0'))
    throw new ConfigError('The DSN names no file. Write sqlite:app.db or :memory:.')
  return file
}

function openDatabase(
  path: string,
  synchronous: 'full' | 'normal',
  config: Config,
  fileMustExist: boolean,
): Database {
  let db: Database
  try {
    db = new BetterSqlite3(path, { timeout: BLOCK_AT_MOST_MS, fileMustExist })
  } catch (cause) {
    if (fileMustExist && !existsSync(path)) throw noSuchFile(path, cause)
    throw new ConfigError(`The SQLite file ${display(path)} cannot be opened: ${(cause as Error).message}`, {
      cause,
    })
  }
  try {
    if (config.sqliteWal) walMode(db)
    db.pragma(`synchronous = ${synchronous}`)
  } catch (cause) {
    db.close()
    throw new ConfigError(`The SQLite file ${display(path)} cannot be used: ${(cause as Error).message}`, {
      cause,
    })
  }
  return db
}

function noSuchFile(path: string, cause: unknown): ConfigError {
  return new ConfigError(
    `There is no SQLite file ${display(path)}. Correct the DSN, or make the file with \`npx pgqrs install\`.`,
    { cause },
  )
}

// Asking for a mode that is in force already takes no lock; only the very first process has to change it.
function walMode(db: Database): void {
  if (db.pragma('journal_mode', { simple: true }) === 'wal') return
  db.pragma('busy_timeout = 5000')
  db.pragma('journal_mode = wal')
  db.pragma(`busy_timeout = ${BLOCK_AT_MOST_MS}`)
}
