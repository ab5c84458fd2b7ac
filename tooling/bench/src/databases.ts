import BetterSqlite3 from 'better-sqlite3'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, type PostgresServer } from '@pgqrs/test-database'
import postgres from 'postgres'
import type { BenchDatabase, StoreName } from './system.js'

/** What one kind of database offers the bench: databases from templates, and numbers out of them. */
export interface Databases {
  readonly store: StoreName
  /** Such as `PostgreSQL 18.4`. */
  readonly version: string
  /** A database of its own, empty but for the table of effects, or a copy of a template. */
  create(template?: BenchDatabase): Promise<BenchDatabase>
  drop(database: BenchDatabase): Promise<void>
  /** Makes it fit to be copied: nobody may be connected. */
  settle(database: BenchDatabase): Promise<void>
  /** The one number that a query returns. */
  count(database: BenchDatabase, query: string): Promise<number>
  /** Position in the log of the server, in bytes. Undefined on SQLite. */
  logBytes(): Promise<number | undefined>
  /** Transactions that were committed or rolled back in this database. Undefined on SQLite. */
  transactions(database: BenchDatabase): Promise<number | undefined>
  /** The process id of the server. */
  serverPid(): number | undefined
  stop(): Promise<void>
}

const effects = 'create table bench_effects (n integer not null)'

/** A Postgres of its own, as it comes, with the durability it comes with. */
export async function startPostgresDatabases(): Promise<Databases> {
  const settings = { fsync: 'on', synchronous_commit: 'on' }
  const server = await startPostgres({ fresh: true, settings })
  try {
    return await PostgresDatabases.on(server)
  } catch (error) {
    await server.stop()
    throw error
  }
}

class PostgresDatabases implements Databases {
  readonly store = 'postgres'
  private made = 0
  private readonly clients = new Map<string, postgres.Sql>()

  private constructor(
    private readonly server: PostgresServer,
    private readonly admin: postgres.Sql,
    readonly version: string,
    private readonly postmaster: number,
  ) {}

  static async on(server: PostgresServer): Promise<PostgresDatabases> {
    const admin = postgres(server.dsn, { max: 1, onnotice: () => undefined })
    for (const name of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      const [row] = await admin<{ value: string }[]>`select current_setting(${name}) as value`
      if (row?.value !== 'on')
        throw new Error(`the bench needs ${name} = on, and it is ${row?.value ?? 'unknown'}`)
    }
    const [row] = await admin<{ version: string; pid: number }[]>`
      select current_setting('server_version') as version, pg_backend_pid() as pid`
    const { parentOf } = await import('./processes.js')
    const postmaster = row === undefined ? 0 : await parentOf(row.pid)
    return new PostgresDatabases(server, admin, `PostgreSQL ${row?.version ?? ''}`, postmaster)
  }

  async create(template?: BenchDatabase): Promise<BenchDatabase> {
    const name = `bench_${++this.made}`
    const from = template?.store === 'postgres' ? new URL(template.dsn).pathname.slice(1) : 'template1'
    await this.admin.unsafe(`create database ${name} template ${from}`)
    const url = new URL(this.server.dsn)
    url.pathname = name
    const database: BenchDatabase = { store: 'postgres', dsn: url.href }
    if (template === undefined) await this.client(database).unsafe(effects)
    return database
  }

  async drop(database: BenchDatabase): Promise<void> {
    if (database.store !== 'postgres') return
    await this.forget(database)
    await this.admin.unsafe(`drop database if exists ${new URL(database.dsn).pathname.slice(1)} with (force)`)
  }

  async settle(database: BenchDatabase): Promise<void> {
    if (database.store !== 'postgres') return
    await this.client(database).unsafe('vacuum analyze')
    await this.forget(database)
    const name = new URL(database.dsn).pathname.slice(1)
    await this.admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name}`
    await this.admin.unsafe('checkpoint')
  }

  async count(database: BenchDatabase, query: string): Promise<number> {
    const rows = await this.client(database).unsafe<Record<string, unknown>[]>(query)
    return Number(Object.values(rows[0] ?? {})[0])
  }

  async logBytes(): Promise<number> {
    const [row] = await this.admin<
      { bytes: string }[]
    >`select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes`
    return Number(row?.bytes)
  }

  async transactions(database: BenchDatabase): Promise<number> {
    const name = database.store === 'postgres' ? new URL(database.dsn).pathname.slice(1) : ''
    const [row] = await this.admin<{ n: string }[]>`
      select xact_commit + xact_rollback as n from pg_stat_database where datname = ${name}`
    return Number(row?.n)
  }

  serverPid(): number {
    return this.postmaster
  }

  async stop(): Promise<void> {
    for (const client of this.clients.values()) await client.end({ timeout: 1 })
    await this.admin.end({ timeout: 1 })
    await this.server.stop()
  }

  private client(database: BenchDatabase): postgres.Sql {
    const dsn = database.store === 'postgres' ? database.dsn : ''
    const known = this.clients.get(dsn)
    if (known !== undefined) return known
    const client = postgres(dsn, { max: 1, onnotice: () => undefined, idle_timeout: 0 })
    this.clients.set(dsn, client)
    return client
  }

  private async forget(database: BenchDatabase): Promise<void> {
    const dsn = database.store === 'postgres' ? database.dsn : ''
    await this.clients.get(dsn)?.end({ timeout: 1 })
    this.clients.delete(dsn)
  }
}

/** SQLite files in a folder of their own. */
export async function startSqliteDatabases(): Promise<Databases> {
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-bench-'))
  let made = 0
  const withFile = <T>(database: BenchDatabase, use: (db: BetterSqlite3.Database) => T): T => {
    const db = new BetterSqlite3(database.store === 'sqlite' ? database.file : '', { timeout: 10_000 })
    try {
      return use(db)
    } finally {
      db.close()
    }
  }
  return {
    store: 'sqlite',
    version: `SQLite ${versionOfSqlite()}`,
    async create(template) {
      const file = join(folder, `bench-${++made}.db`)
      const database: BenchDatabase = { store: 'sqlite', file }
      if (template?.store === 'sqlite') await copyFile(template.file, file)
      else withFile(database, (db) => db.exec(effects))
      return database
    },
    async drop(database) {
      if (database.store !== 'sqlite') return
      for (const end of ['', '-wal', '-shm']) await rm(database.file + end, { force: true })
    },
    async settle(database) {
      withFile(database, (db) => db.pragma('wal_checkpoint(truncate)'))
    },
    async count(database, query) {
      return withFile(database, (db) => Number(db.prepare(query).pluck().get()))
    },
    logBytes: () => Promise.resolve(undefined),
    transactions: () => Promise.resolve(undefined),
    serverPid: () => undefined,
    stop: () => rm(folder, { recursive: true, force: true }),
  }
}

function versionOfSqlite(): string {
  const db = new BetterSqlite3(':memory:')
  const version: unknown = db.prepare('select sqlite_version()').pluck().get()
  db.close()
  return String(version)
}
