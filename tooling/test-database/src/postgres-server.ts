import { startContainerPostgres } from './container-postgres.js'
import { createDatabase, dropDatabase, majorOf } from './databases.js'
import { isDockerReachable } from './docker-engine.js'
import { startEmbeddedPostgres } from './embedded-postgres.js'
import type { PostgresVersion } from './postgres-binaries.js'
import type { Standby } from './standby.js'

/** What kind of Postgres a test wants. */
export interface PostgresOptions {
  /** The major version. By default `PGQRS_TEST_POSTGRES_VERSION`, else whatever is found, else 18. */
  version?: PostgresVersion
  /** Server settings, as in postgresql.conf. A server that already runs (`PGQRS_TEST_DSN`) is then passed over. */
  settings?: Record<string, string>
  /** Always start an own server, never use `PGQRS_TEST_DSN` or Docker: for tests that restart it. */
  fresh?: boolean
}

/** A running Postgres with a superuser. */
export interface PostgresServer {
  /** `postgres://user:password@host:port/database`; the host is 127.0.0.1 unless `PGQRS_TEST_DSN` says otherwise. */
  readonly dsn: string
  readonly source: 'env' | 'testcontainers' | 'embedded'
  /** Such as 18. */
  readonly major: number
  /** Stops an own server and removes all of it; on a foreign one drops what `createDatabase` made. Idempotent. */
  stop(): Promise<void>
  /**
   * Stops the server, `immediate` as if it had crashed, and starts it again at the same address. Resolves when it
   * accepts connections. Only embedded servers have it.
   */
  restart?(mode: 'fast' | 'immediate'): Promise<void>
  /** Starts a standby that follows, by default synchronously. Only embedded servers have it. */
  replicate?(how?: 'synchronously' | 'asynchronously'): Promise<Standby>
  /** Creates an empty database and returns its dsn. Without a name it gets a new one. */
  createDatabase(name?: string): Promise<string>
  /** Drops the database that a dsn names, connections and all. No error when it is gone. */
  dropDatabase(dsn: string): Promise<void>
}

type Found = Pick<PostgresServer, 'dsn' | 'source' | 'restart' | 'replicate' | 'stop'>

/**
 * Finds or starts a Postgres: the server of `PGQRS_TEST_DSN`; else, if a Docker engine answers, a container of
 * `PGQRS_TEST_IMAGE` (by default `postgres:18`); else an own server from npm. Nothing of it is left when this
 * process ends, in whatever way.
 * @throws {Error} when none starts; the message holds the end of the server's log.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const version = options.version ?? versionFromEnvironment()
  const settings = options.settings ?? {}
  const found =
    (options.fresh
      ? undefined
      : ((await running(version, settings)) ?? (await contained(version, settings)))) ??
    (await own(version ?? '18', settings))
  try {
    return await serve(found)
  } catch (error) {
    await found.stop()
    throw error
  }
}

function versionFromEnvironment(): PostgresVersion | undefined {
  const version = process.env['PGQRS_TEST_POSTGRES_VERSION']
  if (!version) return undefined
  if (version === '15' || version === '18') return version
  throw new Error(`PGQRS_TEST_POSTGRES_VERSION is ${version}; there are 15 and 18`)
}

async function running(
  version: PostgresVersion | undefined,
  settings: Record<string, string>,
): Promise<Found | undefined> {
  const dsn = process.env['PGQRS_TEST_DSN']
  if (!dsn || Object.keys(settings).length > 0) return undefined
  if (version && (await majorOf(dsn)) !== Number(version)) {
    say(`the server of PGQRS_TEST_DSN is not a Postgres ${version}; looking further`)
    return undefined
  }
  return { dsn, source: 'env', stop: async () => {} }
}

async function contained(
  version: PostgresVersion | undefined,
  settings: Record<string, string>,
): Promise<Found | undefined> {
  if (!(await isDockerReachable())) return undefined
  const image = imageFor(version)
  try {
    return { ...(await startContainerPostgres(image, settings)), source: 'testcontainers' }
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error)
      .split('\n')[0]
      ?.trim()
    say(`Docker answers, but ${image} cannot be started (${reason}); starting an embedded Postgres instead`)
    return undefined
  }
}

/** The image of the environment, unless its tag names another version than the one that was asked for. */
function imageFor(version: PostgresVersion | undefined): string {
  const image = process.env['PGQRS_TEST_IMAGE']
  const tagged = /:(\d+)[^/]*$/.exec(image ?? '')?.[1]
  if (image && (!version || !tagged || tagged === version)) return image
  return `postgres:${version ?? '18'}`
}

async function own(version: PostgresVersion, settings: Record<string, string>): Promise<Found> {
  return { ...(await startEmbeddedPostgres(version, settings)), source: 'embedded' }
}

async function serve(found: Found): Promise<PostgresServer> {
  const created = new Set<string>()
  return {
    ...found,
    major: await majorOf(found.dsn),
    async stop() {
      if (found.source === 'env') for (const dsn of created) await dropDatabase(found.dsn, dsn)
      created.clear()
      await found.stop()
    },
    async createDatabase(name) {
      const dsn = await createDatabase(found.dsn, name)
      created.add(dsn)
      return dsn
    },
    async dropDatabase(dsn) {
      await dropDatabase(found.dsn, dsn)
      created.delete(dsn)
    },
  }
}

function say(line: string): void {
  process.stderr.write(`@pgqrs/test-database: ${line}\n`)
}
