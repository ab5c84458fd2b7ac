import { randomBytes } from 'node:crypto'
import postgres from 'postgres'

/** Runs `use` with one connection of its own, which is closed afterwards. */
async function withConnection<T>(dsn: string, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(dsn, { max: 1, connect_timeout: 10, onnotice: () => {} })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function databaseOf(dsn: string): string {
  return decodeURIComponent(new URL(dsn).pathname.slice(1))
}

/**
 * The major version of the server, such as 18.
 * @throws what the connection throws.
 */
export async function majorOf(dsn: string): Promise<number> {
  return withConnection(dsn, async (sql) => {
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version_num') as version`
    return Math.floor(Number(row?.version) / 10_000)
  })
}

/**
 * Creates an empty database on the server of `adminDsn` and returns its dsn.
 * @param name - by default a new one that starts with `pgqrs_test_`.
 * @throws {postgres.PostgresError} `42P04` when it exists.
 * @throws {RangeError} when the name has characters that would have to be encoded in a dsn, which drivers do not
 * agree about.
 */
export async function createDatabase(
  adminDsn: string,
  name = `pgqrs_test_${randomBytes(6).toString('hex')}`,
): Promise<string> {
  if (!/^[\w-]+$/.test(name)) throw new RangeError(`${name} cannot stand in a dsn as it is`)
  // Nobody can be connected to template0, which would make CREATE DATABASE fail.
  await withConnection(adminDsn, (sql) => sql.unsafe(`create database ${quoted(name)} template template0`))
  const dsn = new URL(adminDsn)
  dsn.pathname = `/${name}`
  return dsn.href
}

/** Drops the database of `dsn` with every connection to it, by way of `adminDsn`. No error when it is gone. */
export async function dropDatabase(adminDsn: string, dsn: string): Promise<void> {
  await withConnection(adminDsn, (sql) =>
    sql.unsafe(`drop database if exists ${quoted(databaseOf(dsn))} with (force)`),
  )
}
