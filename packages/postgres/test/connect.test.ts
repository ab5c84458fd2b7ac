import { eventually, spawnChild } from '@pgqrs/test-database'
import { join } from 'node:path'
import type { Sql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../src/connect.js'
import { client, database, driverFor } from './database.js'
import { parametersOfDsn } from '../src/parameters.js'

async function connections(admin: Sql): Promise<number> {
  const [row] = await admin<{ n: number }[]>`select count(*)::int as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  return row!.n
}

it('takes a DSN, options or a client, and closes only what it opened', async () => {
  const dsn = await database()
  const admin = client(dsn, { max: 1 })
  const sql = client(dsn, { max: 1 })
  await sql`select 1`
  for (const target of [
    dsn,
    { dsn, schema: 'public', listen: false },
    sql,
    { client: sql, maxConnections: 2 },
  ]) {
    const store = await connect(target)
    await store.admin.install()
    expect(await connections(admin)).toBeGreaterThan(1)
    await store.close()
    expect(await connections(admin)).toBe(1)
  }
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
})

it('lets the process end when the store is closed', async () => {
  const child = await spawnChild(join(import.meta.dirname, 'children', 'connect-and-close.ts'), [
    await database(),
  ])
  await child.waitFor('closed')
  expect(await child.exited).toEqual({ code: 0, signal: null })
})

it('lets a running statement end when it is closed, and refuses those that wait and those that come', async () => {
  const dsn = await database()
  const admin = client(dsn, { max: 1 })
  const driver = driverFor(dsn, { maxConnections: 1 })
  const running = driver.execute([{ sql: 'select pg_sleep(0.3)', parameters: [], reads: true }])
  await eventually('the statement to run', async () => {
    const rows = await admin`select 1 from pg_stat_activity
      where datname = current_database() and query like '%pg_sleep%' and pid <> pg_backend_pid()`
    return rows.length > 0
  })
  const one = [{ sql: 'select 1', parameters: [], reads: true }]
  const waiting = Promise.allSettled([driver.execute(one), driver.execute(one)])
  await driver.close()
  await expect(running).resolves.toHaveLength(1)
  const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'CLOSED' }) }
  expect(await waiting).toEqual([refused, refused])
  await expect(driver.execute(one)).rejects.toMatchObject({ code: 'CLOSED' })
  expect(await connections(admin)).toBe(0)
})

it('goes on to the next host when one is not there or not what is wanted', async () => {
  const dsn = new URL(await database())
  const admin = client(dsn.href, { max: 1 })
  const one = [{ sql: 'select 1 as one', parameters: [], reads: true }]
  const second = driverFor(dsn.href.replace(dsn.host, `127.0.0.1:1,${dsn.host}`))
  expect(await second.execute(one)).toEqual([[{ one: 1 }]])

  const wanting = (): Promise<unknown> =>
    driverFor(`${dsn.href}?target_session_attrs=read-write`).execute(one)
  expect(await wanting()).toEqual([[{ one: 1 }]])
  await admin.unsafe(`alter database ${dsn.pathname.slice(1)} set default_transaction_read_only = on`)
  await expect(wanting()).rejects.toThrow('the server is not read-write')
})

it('says where a setting comes from that the server does not know', async () => {
  const store = await connect(`${await database()}?schema=public`)
  onTestFinished(() => store.close())
  await expect(store.admin.verify()).rejects.toThrow(
    /parameter "schema".*What stands behind the \? of the DSN/,
  )
})

it.each([true, false])('with prepare: %s leaves statements prepared just then', async (prepare) => {
  const dsn = await database()
  const driver = driverFor(dsn, { parameters: parametersOfDsn(dsn, prepare), maxConnections: 1 })
  for (const n of [1, 2, 3]) await driver.execute([{ sql: 'select $1::int', parameters: [n], reads: true }])
  const [rows] = await driver.execute([
    {
      sql: `select count(*)::int as n from pg_prepared_statements where statement = 'select $1::int'`,
      parameters: [],
      reads: true,
    },
  ])
  expect(rows).toEqual([{ n: prepare ? 1 : 0 }])
})
