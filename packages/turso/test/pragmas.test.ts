import { createClient, type Client } from '@libsql/client'
import { systemClock, systemRandom } from '@pgqrs/core/driver'
import { expect, it, onTestFinished } from 'vitest'
import { ownClient } from '../src/client-source.js'
import { LocalDatabase } from '../src/local-database.js'
import { newFile, planFor, read, write } from './under-test.js'

function databaseWith(path: string, wal: boolean): { database: LocalDatabase; client: () => Client } {
  const writer = ownClient(() => createClient({ url: `file:${path}`, concurrency: 1 }))
  const surroundings = { patienceMs: 1000, clock: systemClock, random: systemRandom }
  const database = new LocalDatabase({ writer, reader: undefined }, wal, surroundings)
  onTestFinished(() => database.close())
  return { database, client: () => writer.current() }
}

const settings = [write('pragma synchronous'), write('pragma journal_mode')]
const full = 2

it('has its settings in force on the connection that writes, whatever was set on it before', async () => {
  const { database, client } = databaseWith(await newFile(), true)
  await client().executeMultiple('pragma journal_mode = delete; pragma synchronous = off')
  expect(await database.execute(settings)).toEqual([[{ synchronous: full }], [{ journal_mode: 'wal' }]])
})

it('has them in force on a connection that the pool opened by itself', async () => {
  const { database, client } = databaseWith(await newFile(), true)
  await database.execute(settings)
  // Closes the connections of the pool, and opens others when they are needed.
  client().reconnect()
  expect(await database.execute(settings)).toEqual([[{ synchronous: full }], [{ journal_mode: 'wal' }]])
})

it('has them in force in the transaction of a step', async () => {
  const { database, client } = databaseWith(await newFile(), true)
  await client().executeMultiple('pragma synchronous = off')
  const seen = await database.transaction(
    planFor(async (tx) => (await tx.execute('pragma synchronous')).rows[0]?.['synchronous'], {
      before: read('select 1'),
      after: () => [],
    }),
  )
  expect(seen).toBe(full)
})

it('leaves the journal as it is without write-ahead logging', async () => {
  const { database } = databaseWith(await newFile(), false)
  expect(await database.execute(settings)).toEqual([[{ synchronous: full }], [{ journal_mode: 'delete' }]])
})
