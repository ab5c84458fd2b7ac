import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createClient } from '@libsql/client'
import type { LibsqlServer } from '@pgqrs/test-database'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openClient } from '../src/open.js'
import { createTable, driverFor, failureOf, newServer, planFor, read, valuesOf, write } from './under-test.js'

// The server is a stand-in with the real engine behind: see startLibsqlServer for what it does not have.

const settings = { connectionTimeoutMs: 10_000, maxConnections: 10, sqliteWal: true }
const insert = (v: string) => write('insert into t values (?)', v)

describe.each(['http', 'websocket'])('%s', (transport) => {
  const urlOf = (server: LibsqlServer): string => (transport === 'http' ? server.httpUrl : server.wsUrl)

  it('returns plain rows, with integers as numbers', async () => {
    const driver = driverFor(urlOf(await newServer()))
    const statement = read(
      'select ? as i, ? as f, ? as s, ? as n, typeof(?) as t, 1 = 1 as b',
      7,
      1.5,
      'x',
      null,
      7,
    )
    const [rows = []] = await driver.execute([statement])
    expect(rows).toStrictEqual([{ i: 7, f: 1.5, s: 'x', n: null, t: 'integer', b: 1 }])
    expect(Object.getOwnPropertyNames(rows[0])).toEqual(['i', 'f', 's', 'n', 't', 'b'])
  })

  it('sends one request for each call', async () => {
    const server = await newServer()
    const driver = driverFor(urlOf(server))
    await createTable(driver)
    for (const statements of [
      [insert('a')],
      [insert('b'), insert('c')],
      [read('select 1')],
      [read('select 1'), read('select 2')],
    ]) {
      const before = server.requests()
      await driver.execute(statements)
      expect(server.requests() - before).toBe(1)
    }
  })

  it('executes all statements or none', async () => {
    const driver = driverFor(urlOf(await newServer()))
    await createTable(driver)
    const error = await failureOf(driver.execute([insert('a'), insert('a')]))
    expect(driver.classify(error)).toEqual({ kind: 'unique' })
    expect(await valuesOf(driver)).toEqual([])
    expect(
      driver.classify(
        await failureOf(driver.execute([insert('a'), write('insert into pgqrs_messages values (1)')])),
      ),
    ).toEqual({
      kind: 'not_installed',
    })
    expect(driver.classify(await failureOf(driver.execute([read('select * from pgqrs_messages')])))).toEqual({
      kind: 'not_installed',
    })
    expect(await valuesOf(driver)).toEqual([])
  })

  it.each([{ status: 502 }, { drop: 'request' as const }])(
    'calls it broken, and recovers, after %o',
    async (fault) => {
      const server = await newServer()
      const driver = driverFor(urlOf(server))
      await createTable(driver)
      for (const statements of [[insert('lost')], [insert('lost'), insert('lost too')]]) {
        server.fail(fault)
        expect(driver.classify(await failureOf(driver.execute(statements)))).toEqual({ kind: 'broken' })
      }
      await driver.execute([insert('a')])
      expect(await valuesOf(driver)).toEqual(['a'])
    },
  )

  it('calls a lost answer broken: it has taken effect', async () => {
    const server = await newServer()
    const driver = driverFor(urlOf(server))
    await createTable(driver)
    server.fail({ drop: 'answer' })
    expect(driver.classify(await failureOf(driver.execute([insert('a')])))).toEqual({ kind: 'broken' })
    server.fail({ drop: 'answer' })
    expect(driver.classify(await failureOf(driver.execute([insert('b'), insert('c')])))).toEqual({
      kind: 'broken',
    })
    expect(await valuesOf(driver)).toEqual(['a', 'b', 'c'])
  })

  it('waits for an answer only so long, and recovers', async () => {
    const server = await newServer()
    const driver = driverFor(urlOf(server), { connectionTimeoutMs: 300 })
    await createTable(driver)
    server.fail({ delayMs: 60_000, drop: 'request', count: 6 })
    const errors = await Promise.all(
      Array.from({ length: 6 }, () => failureOf(driver.execute([insert('lost'), insert('lost too')]))),
    )
    for (const error of errors) expect(driver.classify(error)).toEqual({ kind: 'broken' })
    server.fail({ count: 0 })
    await driver.execute([insert('a')])
    expect(await valuesOf(driver)).toEqual(['a'])
  })

  it('rolls back a transaction whose connection breaks, also when the callback does not mind', async () => {
    const server = await newServer()
    const driver = driverFor(urlOf(server))
    await createTable(driver)
    const error = await failureOf(
      driver.transaction(
        planFor(async (tx) => {
          server.fail({ drop: 'request' })
          await failureOf(tx.execute("insert into t values ('work')"))
        }),
      ),
    )
    expect(driver.classify(error)).toEqual({ kind: 'broken' })
    expect(await valuesOf(driver)).toEqual([])
    await driver.transaction(planFor(() => undefined))
    expect(await valuesOf(driver)).toEqual(['after', 'before'])
  })

  it('calls a commit without an answer broken: it has taken effect', async () => {
    const server = await newServer()
    const driver = driverFor(urlOf(server))
    await createTable(driver)
    const plan = planFor(() => undefined, { checkAfter: () => server.fail({ drop: 'answer' }) })
    expect(driver.classify(await failureOf(driver.transaction(plan)))).toEqual({ kind: 'broken' })
    expect(await valuesOf(driver)).toEqual(['after', 'before'])
  })

  it('says that a token is refused, without showing it', async () => {
    const server = await newServer('the-right-one')
    const wrong = driverFor(urlOf(server), {}, 'the-wrong-one')
    for (const statements of [[read('select 1')], [read('select 1'), read('select 1')]]) {
      const error = await failureOf(wrong.execute(statements))
      expect(wrong.classify(error)).toEqual({ kind: 'authentication' })
      expect(`${error.stack ?? ''} ${String(error.cause)}`).not.toContain('the-wrong-one')
    }
    const right = driverFor(urlOf(server), {}, 'the-right-one')
    expect(await right.execute([read('select 1 as one')])).toEqual([[{ one: 1 }]])
  })

  it('says when nothing could be sent, and works once the server is there', async () => {
    const port = await freePort()
    const driver = driverFor(`${transport === 'http' ? 'http' : 'ws'}://127.0.0.1:${port}`)
    for (const statements of [[read('select 1')], [read('select 1'), read('select 1')]]) {
      expect(driver.classify(await failureOf(driver.execute(statements)))).toEqual({ kind: 'unsent' })
    }
    const { startLibsqlServer } = await import('@pgqrs/test-database')
    const server = await startLibsqlServer({ port })
    onTestFinished(() => server.stop())
    expect(await driver.execute([read('select 1 as one')])).toEqual([[{ one: 1 }]])
  })

  it("uses the application's client and leaves it open", async () => {
    const client = createClient({ url: urlOf(await newServer()), intMode: 'bigint' })
    onTestFinished(() => client.close())
    const driver = await openClient(client, settings)
    expect(await driver.execute([read('select 1 as one')])).toEqual([[{ one: 1 }]])
    await driver.close()
    expect(client.closed).toBe(false)
    expect((await client.execute('select 1 as one')).rows[0]?.['one']).toBe(1n)
  })

  it('refuses calls after it was closed, and lets those before it finish', async () => {
    const driver = driverFor(urlOf(await newServer()))
    const call = driver.execute([read('select 1 as one')])
    await driver.close()
    expect(await call).toEqual([[{ one: 1 }]])
    await expect(driver.execute([read('select 1')])).rejects.toThrow('is closed')
  })
})

it('tells a database that nobody answers for from one that does not exist', async () => {
  const driver = driverFor('http://nobody.invalid')
  expect(driver.classify(await failureOf(driver.execute([read('select 1')])))).toEqual({ kind: 'unsent' })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
