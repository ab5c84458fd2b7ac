import postgres from 'postgres'
import { afterAll, beforeAll, expect, it, type TestContext } from 'vitest'
import { startPgBouncer, startPostgres, type PgBouncer, type PostgresServer } from '../src/index.js'
import { pidsOf } from './running.js'

let server: PostgresServer
let bouncer: PgBouncer | undefined

beforeAll(async () => {
  server = await startPostgres({ fresh: true })
  bouncer = await startPgBouncer(server.dsn)
})
afterAll(async () => {
  await bouncer?.stop()
  await server.stop()
})

/** Skips the test, visibly, where PgBouncer is not installed. */
function needed(context: TestContext): PgBouncer {
  if (bouncer) return bouncer
  console.log('skipped: no pgbouncer on the PATH or in /usr/sbin (apt-get install pgbouncer)')
  context.skip('pgbouncer is not installed')
}

it('hands each transaction a server connection of its pool, and shares few between many clients', async (context) => {
  const { dsn } = needed(context)
  const sql = postgres(dsn, { max: 50, prepare: false })
  const pids = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid, pg_sleep(0.005)`
      return row?.pid
    }),
  )
  expect(new Set(pids).size).toBeLessThanOrEqual(20)
  await sql.end()
})

it('pools by transaction: LISTEN is accepted and hears nothing', async (context) => {
  const { dsn } = needed(context)
  const heard: string[] = []
  const sql = postgres(dsn, { max: 2, prepare: false })
  await sql.listen('channel', (payload) => heard.push(payload))
  await sql.notify('channel', 'through the pool')
  await sql`select pg_sleep(0.2)`
  expect(heard).toEqual([])
  await sql.end({ timeout: 1 })
})

it('serves every database of the server, and checks the password', async (context) => {
  const { dsn } = needed(context)
  const created = new URL(await server.createDatabase())
  const through = new URL(dsn)
  through.pathname = created.pathname
  const sql = postgres(through.href, { max: 1, prepare: false })
  expect(await sql`select current_database() as name`).toEqual([{ name: created.pathname.slice(1) }])
  await sql.end()
  through.password = 'wrong'
  const wrong = postgres(through.href, { max: 1, prepare: false })
  await expect(wrong`select 1`).rejects.toMatchObject({ code: '08P01' })
  await wrong.end()
})

it('is gone after stop, which may be called twice', async (context) => {
  const { dsn, stop } = needed(context)
  expect(pidsOf('pgbouncer.ini')).not.toEqual([])
  await stop()
  await stop()
  const sql = postgres(dsn, { max: 1, connect_timeout: 2 })
  await expect(sql`select 1`).rejects.toThrow(/ECONNREFUSED/)
  await sql.end()
})
