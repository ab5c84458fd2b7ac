import postgres, { type Sql } from 'postgres'
import { connect } from '@pgqrs/postgres'
import { startPostgres, startProxy } from '@pgqrs/test-database'
import type { ChaosDatabase, Row } from './database.js'
import { prepared } from './prepare.js'
import { postgresLog, userTables } from './tables.js'

/** A Postgres of the run's own, behind a proxy, installed and watched. */
export async function openPostgres(more: Readonly<Record<string, string>>): Promise<ChaosDatabase> {
  const server = await startPostgres({
    fresh: true,
    // Killed servers must find everything again that was committed: the kernel keeps what was written.
    settings: {
      fsync: 'off',
      max_connections: '200',
      autovacuum_naptime: '5s',
      deadlock_timeout: '100ms',
      // A standby must find what happens while it is made.
      wal_keep_size: '256MB',
      ...more,
    },
  })
  const proxy = await startProxy(server.dsn)
  const answers = await prepared(await connect(server.dsn))
  const own = new OwnConnection(server.dsn)
  for (const statement of [...userTables(), ...postgresLog()]) await own.query(statement)
  // Whatever the server forgets later, it has the tables.
  await own.query('checkpoint')
  return {
    kind: 'postgres',
    dsn: proxy.dsn,
    straightDsn: server.dsn,
    proxy,
    postgres: server,
    answers,
    secret: new URL(server.dsn).password,
    query: (sql) => own.query(sql),
    integrity: () => integrity(own),
    leftovers: async () => {
      const [open] = await own.query(
        "select count(*) as n from pg_stat_activity where state like 'idle in transaction%' and pid <> pg_backend_pid()",
      )
      const [locks] = await own.query("select count(*) as n from pg_locks where locktype = 'advisory'")
      return { openTransactions: Number(open?.['n']), advisoryLocks: Number(locks?.['n']) }
    },
    close: async () => {
      await own.close()
      await proxy.stop()
      await server.stop()
    },
  }
}

/** One connection at a time, made again after each failure: the server is restarted under it. */
class OwnConnection {
  private sql: Sql | undefined

  constructor(private readonly dsn: string) {}

  async query(text: string): Promise<Row[]> {
    const sql = (this.sql ??= postgres(this.dsn, {
      max: 1,
      connect_timeout: 5,
      onnotice: () => undefined,
      // The server may be told to take no writes, and to hurry.
      connection: { default_transaction_read_only: false, statement_timeout: 60_000, lock_timeout: 0 },
    }))
    try {
      return await sql.unsafe(text)
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || error.code.startsWith('57')) await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const { sql } = this
    this.sql = undefined
    await sql?.end({ timeout: 1 })
  }
}

/** Walks over every table and index; amcheck is no part of the embedded server. */
async function integrity(own: OwnConnection): Promise<{ check: string; problems: string[] }> {
  const problems: string[] = []
  const counts: [string, string][] = [
    ['pgqrs_messages', 'id is not null'],
    ['pgqrs_steps', 'run_id is not null'],
  ]
  for (const [table, all] of counts) {
    await own.query('set enable_seqscan = off')
    const [byIndex] = await own.query(`select count(*) as n from ${table} where ${all}`)
    await own.query('set enable_seqscan = on')
    const [byTable] = await own.query(`select count(*) as n from ${table}`)
    if (byIndex?.['n'] !== byTable?.['n']) problems.push(`${table}: index and table have different rows`)
  }
  return { check: 'index against table', problems }
}
