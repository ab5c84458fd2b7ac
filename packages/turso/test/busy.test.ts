import { readdirSync, readlinkSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createClient, type Client } from '@libsql/client'
import { systemClock, systemRandom } from '@pgqrs/core/driver'
import { eventually, spawnChild } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { ownClient } from '../src/client-source.js'
import { BLOCKING_WAIT_MS, LocalDatabase } from '../src/local-database.js'
import { createTable, driverFor, failureOf, newFile, planFor, read, valuesOf, write } from './under-test.js'

const TRIES = 8

const insert = (v: string) => write('insert into t values (?)', v)

function plainClient(path: string, timeout = 0): Client {
  const client = createClient({ url: `file:${path}`, concurrency: 1, timeout })
  onTestFinished(() => client.close())
  return client
}

/** A database that counts how often it has found the lock taken. */
function patientDatabase(path: string): { database: LocalDatabase; tries: () => number } {
  let tries = 0
  const random = { ...systemRandom, fraction: () => (tries++, 0.5) }
  const open = () =>
    ownClient(() => createClient({ url: `file:${path}`, concurrency: 1, timeout: BLOCKING_WAIT_MS }))
  const surroundings = { patienceMs: 10_000, clock: systemClock, random }
  const database = new LocalDatabase({ writer: open(), reader: open() }, true, surroundings)
  onTestFinished(() => database.close())
  return { database, tries: () => tries }
}

/** How often this process has a database file open, by connections that were closed but hang on, too. */
function timesOpen(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.startsWith(path)).length
}

/** Runs `work` and returns the longest time in ms that the event loop stood still. */
async function longestStall(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  try {
    await work()
  } finally {
    delay.disable()
  }
  return delay.max / 1e6
}

it('still needs the care it takes: one SQLITE_BUSY and the client loses writes that it acknowledges', async () => {
  const path = await newFile()
  const other = plainClient(path)
  await other.executeMultiple('pragma journal_mode = wal; create table t (v text unique)')
  const poisoned = plainClient(path)
  const tx = await other.transaction('write')
  await expect(poisoned.execute("insert into t values ('refused')")).rejects.toThrow('SQLITE_BUSY')
  await tx.commit()
  await poisoned.execute("insert into t values ('acknowledged')")
  expect((await other.execute('select v from t')).rows).toEqual([])
  await expect(other.execute("insert into t values ('mine')")).rejects.toThrow('SQLITE_BUSY')
})

it('waits for another connection without blocking the event loop, and works afterwards', async () => {
  const path = await newFile()
  const { database, tries } = patientDatabase(path)
  await database.execute([write('create table t (v text unique)')])
  const other = plainClient(path)
  const tx = await other.transaction('write')
  await tx.execute("insert into t values ('other')")
  let written = false
  const stall = await longestStall(async () => {
    const writing = database.execute([insert('a'), insert('b')]).then(() => (written = true))
    await eventually('several tries', () => tries() >= TRIES)
    expect(await database.execute([read('select v from t')])).toEqual([[]])
    expect(written).toBe(false)
    await tx.commit()
    await writing
  })
  expect(stall).toBeLessThan(10 * BLOCKING_WAIT_MS)
  await database.execute([insert('c')])
  await other.execute("insert into t values ('d')")
  const { rows } = await plainClient(path).execute('select v from t order by v')
  expect(rows.map((row) => row['v'])).toEqual(['a', 'b', 'c', 'd', 'other'])
})

it('gives up after its patience, with a failure that may be repeated, and works afterwards', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`, { connectionTimeoutMs: 200 })
  await createTable(driver)
  const other = plainClient(path)
  const tx = await other.transaction('write')
  expect(driver.classify(await failureOf(driver.execute([insert('a')])))).toMatchObject({ kind: 'retry' })
  expect(driver.classify(await failureOf(driver.transaction(planFor(() => 1))))).toMatchObject({
    kind: 'retry',
  })
  await tx.rollback()
  await driver.execute([insert('a'), insert('b')])
  await driver.transaction(planFor(() => 1))
  await other.execute("insert into t values ('other')")
  expect(await valuesOf(driver)).toEqual(['a', 'after', 'b', 'before', 'other'])
})

it('takes over from a process that is killed with the lock in its hands', async () => {
  const path = await newFile()
  const { database, tries } = patientDatabase(path)
  await database.execute([write('create table t (v text unique)')])
  const child = await spawnChild(new URL('lock-holder.ts', import.meta.url).pathname, [path])
  await child.waitFor('locked')
  const order: string[] = []
  const stall = await longestStall(async () => {
    const writing = Promise.all([
      database.execute([insert('a')]).then(() => order.push('execute')),
      database.transaction(planFor(() => 'value')).then(() => order.push('transaction')),
      database.execute([insert('b')]).then(() => order.push('execute')),
    ])
    await eventually('several tries', () => tries() >= TRIES)
    expect(order).toEqual([])
    child.kill('SIGKILL')
    await child.exited
    await writing
  })
  expect(order).toEqual(['execute', 'transaction', 'execute'])
  expect(stall).toBeLessThan(10 * BLOCKING_WAIT_MS)
  const rows = await database.execute([read('select v from t order by v')])
  expect(rows).toEqual([[{ v: 'a' }, { v: 'after' }, { v: 'b' }, { v: 'before' }]])
})

it('gives a client up that met SQLITE_BUSY in a prepared statement', async () => {
  const path = await newFile()
  const other = plainClient(path)
  await other.executeMultiple('pragma journal_mode = wal; create table t (v text unique)')
  const opened: Client[] = []
  const writer = ownClient(() => {
    const client = createClient({ url: `file:${path}`, concurrency: 1 })
    opened.push(client)
    if (opened.length > 1) return client
    // The other connection comes first between the try for the lock and the batch.
    const { executeMultiple } = client
    client.executeMultiple = async (sql) => {
      await executeMultiple.call(client, sql)
      await holdBriefly()
    }
    return client
  })
  let holding: Promise<void> | undefined
  const holdBriefly = async (): Promise<void> => {
    const tx = await other.transaction('write')
    holding = eventually('the client to be given up', () => opened[0]?.closed).then(() => tx.rollback())
  }
  const surroundings = { patienceMs: 5000, clock: systemClock, random: systemRandom }
  const database = new LocalDatabase({ writer, reader: undefined }, true, surroundings)
  onTestFinished(() => database.close())

  await database.execute([insert('a')])
  await holding
  await other.execute("insert into t values ('b')")
  expect(opened.length).toBe(2)
  expect(await database.execute([read('select v from t order by v')])).toEqual([[{ v: 'a' }, { v: 'b' }]])
})

it('leaves no connection behind when the lock is refused many times', async ({ skip }) => {
  skip(process.platform !== 'linux', 'open files are counted in /proc')
  const path = await newFile()
  const driver = driverFor(`file:${path}`, { connectionTimeoutMs: 1000 })
  await createTable(driver)
  const tx = await plainClient(path).transaction('write')
  const before = timesOpen(path)
  await failureOf(driver.execute([insert('a')]))
  expect(timesOpen(path)).toBe(before)
  await tx.rollback()
})

it('shares a file with another writer, none losing anything', async () => {
  const path = await newFile()
  const driver = driverFor(`file:${path}`)
  const second = driverFor(`file:${path}`)
  await createTable(driver)
  const names = (who: string) => Array.from({ length: 100 }, (_, i) => `${who}${String(i).padStart(3, '0')}`)
  const run = async (own: typeof driver, who: string): Promise<void> => {
    for (const name of names(who)) await own.execute([insert(name)])
  }
  const child = plainClient(path, 1000)
  await Promise.all([
    run(driver, 'a'),
    run(second, 'b'),
    Promise.all(
      names('c').map((name) =>
        driver.transaction(
          planFor((tx) => tx.execute({ sql: 'insert into t values (?)', args: [name] }), {
            before: read('select 1'),
            after: () => [],
          }),
        ),
      ),
    ),
  ])
  const { rows } = await child.execute('select count(*) as n from t')
  expect(rows[0]?.['n']).toBe(300)
})
