import { createClient, type Client, type Config as ClientConfig, type Transaction } from '@libsql/client'
import {
  ConfigError,
  ConnectionError,
  systemClock,
  systemRandom,
  type Config,
  type Driver,
} from '@pgqrs/core/driver'
import { applicationClient, ownClient, type ClientSource } from './client-source.js'
import type { Surroundings } from './database.js'
import { fileCapabilities, serverCapabilities, tursoDriver } from './driver.js'
import { BLOCKING_WAIT_MS, LocalDatabase } from './local-database.js'
import { RemoteDatabase } from './remote-database.js'
import type { Target } from './target.js'
import { watch } from './watch.js'

/** Flushes on their way to a server at once. */
const PARALLEL_FLUSHES = 4

/** What is passed on to the client besides the address. */
export interface ClientOptions {
  readonly authToken?: string
  readonly syncUrl?: string
  readonly syncInterval?: number
  readonly encryptionKey?: string
}

/** What all drivers are opened with. */
export type DriverSettings = Pick<Config, 'connectionTimeoutMs' | 'maxConnections' | 'sqliteWal'>

/**
 * A driver with a client of its own.
 * @throws ConfigError when the address cannot be opened, ConnectionError when that is an embedded replica's.
 */
export function openTarget(
  target: Target,
  options: ClientOptions,
  settings: DriverSettings,
): Driver<Transaction> {
  if (target.kind === 'remote') return openServer(target, options, settings)
  return options.syncUrl === undefined
    ? openFile(target, options, settings)
    : openReplica(target, options, settings)
}

function openFile(target: Target, options: ClientOptions, settings: DriverSettings): Driver<Transaction> {
  const config: ClientConfig = {
    url: target.url,
    concurrency: 1,
    timeout: BLOCKING_WAIT_MS,
    ...(options.encryptionKey === undefined ? {} : { encryptionKey: options.encryptionKey }),
  }
  const memory = target.kind === 'memory'
  const source = opened(target, () => createClient(config))
  // A database in memory lives in its only connection, where nobody else holds a lock.
  const writer = memory ? { ...source, giveUp: () => undefined } : source
  const reader = memory ? undefined : ownClient(() => createClient(config))
  const database = new LocalDatabase({ writer, reader }, settings.sqliteWal, surroundings(settings))
  return tursoDriver({
    database,
    capabilities: fileCapabilities(memory ? 'none' : 'watch', !memory),
    target: target.url,
    wake: memory ? undefined : watch(() => database.version(), systemClock),
  })
}

function openServer(target: Target, options: ClientOptions, settings: DriverSettings): Driver<Transaction> {
  const source = opened(target, () =>
    createClient({
      url: target.url,
      concurrency: settings.maxConnections,
      // Without it a request that is never answered would hold its socket, and with it the process.
      fetch: (request: Request) =>
        fetch(request, { signal: AbortSignal.timeout(settings.connectionTimeoutMs) }),
      ...(options.authToken === undefined ? {} : { authToken: options.authToken }),
    }),
  )
  return tursoDriver({
    database: new RemoteDatabase(source, false, surroundings(settings)),
    capabilities: serverCapabilities(PARALLEL_FLUSHES),
    target: shown(target),
    wake: undefined,
  })
}

function openReplica(target: Target, options: ClientOptions, settings: DriverSettings): Driver<Transaction> {
  const source = opened(target, () => createClient({ url: target.url, ...options }), ConnectionError)
  return tursoDriver({
    database: new RemoteDatabase(source, true, surroundings(settings)),
    capabilities: serverCapabilities(1),
    target: target.url,
    wake: undefined,
  })
}

/**
 * A driver that uses the application's client and leaves it open.
 * @throws ConfigError when the client returns integers as text.
 */
export async function openClient(client: Client, settings: DriverSettings): Promise<Driver<Transaction>> {
  const source = applicationClient(client)
  if (client.protocol !== 'file') {
    return tursoDriver({
      database: new RemoteDatabase(source, false, surroundings(settings)),
      capabilities: serverCapabilities(PARALLEL_FLUSHES),
      target: "the application's libSQL client",
      wake: undefined,
    })
  }
  const { rows } = await client.execute("select seq, file from pragma_database_list where name = 'main'")
  if (typeof rows[0]?.['seq'] === 'string')
    throw new ConfigError("A client with intMode: 'string' cannot be used.")
  const path = rows[0]?.['file']
  const named = typeof path === 'string' && path !== ''
  return tursoDriver({
    // A pool has many connections, and none can be told from another: no reader of our own, and nothing to watch.
    database: new LocalDatabase(
      { writer: source, reader: undefined },
      settings.sqliteWal,
      surroundings(settings),
    ),
    capabilities: fileCapabilities('none', named),
    target: named ? `file:${path}` : ':memory:',
    wake: undefined,
  })
}

// Opening at once shows a wrong path or address here, not in the first call.
function opened(
  target: Target,
  open: () => Client,
  Failed: typeof ConfigError | typeof ConnectionError = ConfigError,
): ClientSource {
  const source = ownClient(open)
  try {
    source.current()
    return source
  } catch (cause) {
    const message = `Cannot open ${shown(target)}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new Failed(message, { cause })
  }
}

function shown(target: Target): string {
  return target.url.replace(/\/?(\?.*)?$/s, '')
}

function surroundings(settings: DriverSettings): Surroundings {
  return { patienceMs: settings.connectionTimeoutMs, clock: systemClock, random: systemRandom }
}
