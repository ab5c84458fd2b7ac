import { createClient, type Client } from '@libsql/client'
import { systemClock, systemRandom, type WakeChannel } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { ownClient } from '../src/client-source.js'
import { LocalDatabase } from '../src/local-database.js'
import { watch } from '../src/watch.js'
import { createTable, driverFor, newFile, planFor, write } from './under-test.js'

const insert = (v: string) => write('insert into t values (?)', v)

function clientFor(path: string): Client {
  const client = createClient({ url: `file:${path}` })
  onTestFinished(() => client.close())
  return client
}

/** A file that is watched by a clock which stands still until it is told to go on. */
async function watched(): Promise<{
  path: string
  database: LocalDatabase
  channel: WakeChannel
  clock: TestClock
}> {
  const path = await newFile()
  const clock = new TestClock()
  const writer = ownClient(() => createClient({ url: `file:${path}` }))
  const surroundings = { patienceMs: 10_000, clock: systemClock, random: systemRandom }
  const database = new LocalDatabase({ writer, reader: undefined }, true, surroundings)
  onTestFinished(() => database.close())
  await database.execute([write('create table t (v text unique)')])
  return { path, database, channel: watch(() => database.version(), clock), clock }
}

it('hears of writes of another connection, and not of its own', async () => {
  const { path, database, channel, clock } = await watched()
  const other = clientFor(path)
  const heard: (readonly string[])[] = []
  const proofs: boolean[] = []
  const stop = await channel.listen(
    (topics) => heard.push(topics),
    (works) => proofs.push(works),
  )
  expect(proofs).toEqual([true])

  await database.execute([insert('mine')])
  await database.transaction(planFor(() => undefined))
  await clock.advance('1s')
  expect(heard).toEqual([])
  await other.execute("insert into t values ('other')")
  await clock.advance('1s')
  expect(heard).toEqual([['*']])

  await stop()
  await other.execute("insert into t values ('unheard')")
  await clock.advance('1s')
  expect(heard).toEqual([['*']])
})

it('holds its breath while a transaction is open', async () => {
  const { database, channel, clock } = await watched()
  const proofs: boolean[] = []
  const stop = await channel.listen(
    () => undefined,
    (works) => proofs.push(works),
  )
  await database.transaction(planFor(() => clock.advance('1s')))
  expect(proofs).toEqual([true])
  await stop()
})

it('is offered for a file', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  await createTable(driver)
  let isHeard = false
  const stop = await driver.wake!.listen(
    () => (isHeard = true),
    () => undefined,
  )
  await clientFor(path).execute("insert into t values ('other')")
  await eventually('the hint', () => isHeard)
  await stop()
})

it('is not offered where nobody else can write', () => {
  const driver = driverFor(':memory:')
  expect(driver.wake).toBeUndefined()
  expect(driver.capabilities).toMatchObject({ wake: 'none', shared: false })
})
