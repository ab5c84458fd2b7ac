import { createClient, type Client, type Config } from '@libsql/client'
import { ConfigError } from '@pgqrs/core/driver'
import { eventually } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { openClient } from '../src/open.js'
import { createTable, newFile, planFor, read, valuesOf, write } from './under-test.js'

const settings = { connectionTimeoutMs: 10_000, maxConnections: 10, sqliteWal: true }
const insert = (v: string) => write('insert into t values (?)', v)

function clientFor(config: Config): Client {
  const client = createClient(config)
  onTestFinished(() => client.close())
  return client
}

it('is used and left open', async () => {
  const path = await newFile()
  const client = clientFor({ url: `file:${path}`, intMode: 'bigint' })
  const driver = await openClient(client, settings)
  expect(driver.target).toBe(`file:${path}`)
  expect(driver.capabilities).toMatchObject({ wake: 'none', shared: true, clock: 'host' })
  await createTable(driver)
  await driver.transaction(planFor((tx) => tx.execute("insert into t values ('work')")))
  expect(await driver.execute([read('select count(*) as n from t')])).toEqual([[{ n: 3 }]])
  await driver.close()
  expect((await client.execute('select count(*) as n from t')).rows[0]?.['n']).toBe(3n)
})

it('is not poisoned by a lock that another connection holds', async () => {
  const path = await newFile()
  const client = clientFor({ url: `file:${path}` })
  const driver = await openClient(client, settings)
  await createTable(driver)
  const other = clientFor({ url: `file:${path}` })
  const tx = await other.transaction('write')
  const writing = [driver.execute([insert('a'), insert('b')]), driver.transaction(planFor(() => undefined))]
  await other.execute('select 1')
  await tx.rollback()
  await Promise.all(writing)
  await client.execute("insert into t values ('c')")
  await other.execute("insert into t values ('d')")
  expect(await valuesOf(driver)).toEqual(['a', 'after', 'b', 'before', 'c', 'd'])
})

it('may be in memory, with one connection that the application also uses', async () => {
  const client = clientFor({ url: ':memory:' })
  const driver = await openClient(client, settings)
  expect(driver.target).toBe(':memory:')
  expect(driver.capabilities).toMatchObject({ wake: 'none', shared: false })
  await createTable(driver)
  const tx = await client.transaction('write')
  await driver.within(tx)?.([insert('in the transaction')])
  let done = false
  const writing = driver.execute([insert('a')]).then(() => (done = true))
  await expect(client.execute('select 1')).rejects.toThrow('TRANSACTION_ACTIVE')
  expect(done).toBe(false)
  await tx.commit()
  await eventually('the write', () => done)
  await writing
  expect(await valuesOf(driver)).toEqual(['a', 'in the transaction'])
})

it('is refused when it returns integers as text', async () => {
  const client = clientFor({ url: ':memory:', intMode: 'string' })
  await expect(openClient(client, settings)).rejects.toThrow(ConfigError)
})
