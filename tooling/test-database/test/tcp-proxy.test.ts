import { createClient } from '@libsql/client'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  eventually,
  startLibsqlServer,
  startPostgres,
  startProxy,
  type PostgresServer,
  type TcpProxy,
} from '../src/index.js'

let server: PostgresServer
let direct: postgres.Sql
let proxy: TcpProxy
let sql: postgres.Sql

beforeAll(async () => {
  server = await startPostgres({ fresh: true })
  direct = postgres(server.dsn, { max: 2 })
  await direct`create table t (v text)`
})
afterAll(async () => {
  await direct.end()
  await server.stop()
})
beforeEach(async () => {
  await direct`truncate t`
  proxy = await startProxy(server.dsn)
  sql = postgres(proxy.dsn, { max: 1, connect_timeout: 2, onnotice: () => {} })
})
afterEach(async () => {
  await sql.end({ timeout: 0 })
  await proxy.stop()
})

const values = async (): Promise<string[]> =>
  (await direct<{ v: string }[]>`select v from t`).map(({ v }) => v)

/** Whether a promise has settled, without waiting for it. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    new Promise<false>((resolve) => setImmediate(() => resolve(false))),
  ])
}

describe('a proxy in front of Postgres', () => {
  it('forwards, large answers too, and counts its connections', async () => {
    const [row] = await sql<{ long: string }[]>`select repeat('x', 3000000) as long`
    expect(row?.long).toHaveLength(3_000_000)
    const [back] = await sql<{ length: number }[]>`select length(${'y'.repeat(3_000_000)}) as length`
    expect(back?.length).toBe(3_000_000)
    expect(proxy.connections()).toBe(1)
    await sql.end()
    await eventually('the connection to end', () => proxy.connections() === 0)
  })

  it('delays each direction, until it is healed', async () => {
    await sql`select 1`
    proxy.delay(100)
    let begin = performance.now()
    await sql`select 1`
    expect(performance.now() - begin).toBeGreaterThan(195)
    await proxy.heal()
    begin = performance.now()
    await sql`select 1`
    expect(performance.now() - begin).toBeLessThan(100)
  })

  it('cuts all connections, and lets new ones come', async () => {
    const cut = sql`select pg_sleep(60)`.execute()
    const rejected = expect(cut).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    await eventually('the statement to run', async () => (await sleeping()) === 1)
    proxy.cutAll()
    await rejected
    await eventually('the connection to be gone', () => proxy.connections() === 0)
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await direct`select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`
  })

  it('goes half open: nothing passes, nothing ends, and what waited arrives when healed', async () => {
    await sql`select 1`
    proxy.halfOpen()
    const insert = sql`insert into t values ('late')`.execute()
    await direct`select pg_sleep(0.2)`
    expect(await values()).toEqual([])
    expect(await isSettled(insert)).toBe(false)
    expect(proxy.connections()).toBe(1)
    await proxy.heal()
    await insert
    expect(await values()).toEqual(['late'])
  })

  it('passes bytes to the server only: the statement runs, the answer waits', async () => {
    await sql`select 1`
    proxy.oneWay('toServer')
    const insert = sql.unsafe("insert into t values ('ran')").execute()
    await eventually('the statement to have run', async () => (await values()).length === 1)
    expect(await isSettled(insert)).toBe(false)
    await proxy.heal()
    await insert
    expect(await values()).toEqual(['ran'])
  })

  it('passes bytes to the client only: what the server had begun still arrives, nothing new does', async () => {
    await sql`select 1`
    const begun = sql`select pg_sleep(0.3), 'begun' as v`.execute()
    await eventually('the statement to run', async () => (await sleeping()) === 1)
    proxy.oneWay('toClient')
    const insert = sql`insert into t values ('held')`.execute()
    expect(await begun).toMatchObject([{ v: 'begun' }])
    expect(await values()).toEqual([])
    await proxy.heal()
    await insert
    expect(await values()).toEqual(['held'])
  })

  it('refuses new connections while the open ones live, until it is healed', async () => {
    await sql`select 1`
    proxy.refuse()
    const late = postgres(proxy.dsn, { max: 1, connect_timeout: 2 })
    await expect(late`select 1`).rejects.toThrow(/ECONNREFUSED/)
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    await proxy.heal()
    expect(await late`select 1 as one`).toEqual([{ one: 1 }])
    await late.end()
  })
})

describe('dropping the answer', () => {
  it('to COMMIT: the client gets an error, and the transaction is there', async () => {
    const dropped = proxy.dropAnswerTo(/^commit/i)
    const transaction = sql.begin(async (tx) => tx`insert into t values ('committed')`)
    await expect(transaction).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    await dropped
    expect(await values()).toEqual(['committed'])
    await sql.begin(async (tx) => tx`insert into t values ('next')`)
    expect(await values()).toEqual(['committed', 'next'])
  })

  it.each([true, false])('to one statement with parameters (prepare: %s): it ran once', async (prepare) => {
    const client = postgres(proxy.dsn, { max: 1, prepare })
    const insert = (v: string): Promise<unknown> => client`insert into t values (${v})`
    const dropped = proxy.dropAnswerTo('insert into t')
    await expect(insert('first')).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    await dropped
    expect(await values()).toEqual(['first'])
    await insert('second')
    const again = proxy.dropAnswerTo('insert into t')
    await expect(insert('third')).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    await again
    expect(await values()).toEqual(['first', 'second', 'third'])
    await client.end({ timeout: 0 })
  })

  it('happens as often as was asked for, and not to other statements', async () => {
    const dropped = proxy.dropAnswerTo(/insert/g, { times: 2 })
    for (const v of ['one', 'two']) {
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
      await expect(sql`insert into t values (${v})`).rejects.toThrow(/ECONNRESET|CONNECTION_CLOSED/)
    }
    await dropped
    await sql`insert into t values ('three')`
    expect(await values()).toEqual(['one', 'two', 'three'])
  })

  it('does not happen once healed', async () => {
    void proxy.dropAnswerTo('insert')
    await proxy.heal()
    await sql`insert into t values ('fine')`
    expect(await values()).toEqual(['fine'])
  })

  it('matches bytes when the target is no Postgres', async () => {
    const libsql = await startLibsqlServer()
    const front = await startProxy(libsql.httpUrl)
    const client = createClient({ url: front.dsn })
    await client.execute('create table t (v)')
    const dropped = front.dropAnswerTo('insert into t')
    await expect(client.batch(["insert into t values ('kept')"], 'write')).rejects.toThrow()
    await dropped
    expect((await client.execute('select count(*) from t')).rows[0]?.[0]).toBe(1)
    client.close()
    await front.stop()
    await libsql.stop()
  })
})

it('names what is wrong with a target', async () => {
  await expect(startProxy('tcp://127.0.0.1')).rejects.toThrow(TypeError)
  const other = await startProxy(new URL(server.dsn).host)
  expect(other.dsn).toBe(`127.0.0.1:${other.port}`)
  await other.stop()
})

async function sleeping(): Promise<number> {
  const rows =
    await direct`select 1 from pg_stat_activity where wait_event = 'PgSleep' and pid <> pg_backend_pid()`
  return rows.length
}
