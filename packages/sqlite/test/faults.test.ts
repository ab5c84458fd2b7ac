import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { DatabaseError, defineQueue, defineWorkflow } from '@pgqrs/core'
import { connect, type Database as Connection } from '@pgqrs/sqlite'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'

const queue = defineQueue<string>('numbers')

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-faults-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return join(folder, 'test.db')
}

async function open(file: string) {
  const store = await connect(`sqlite:${file}`)
  onTestFinished(() => store.close())
  await store.admin.install()
  return store
}

/** Another user of the file. */
function other(file: string): Connection {
  const client = new Database(file)
  onTestFinished(() => void client.close())
  return client
}

it('waits for a write lock that somebody else holds, and the event loop goes on', async () => {
  const file = newFile()
  const store = await open(file)
  const holder = other(file)
  holder.exec('begin immediate')
  let written = false
  const writing = store
    .producer(queue)
    .enqueue('a')
    .then(() => (written = true))
  // A wait on the event loop would let none of these turns pass, and the lock never go.
  for (let turn = 0; turn < 500; turn++) await setImmediate()
  expect(written).toBe(false)
  holder.exec('rollback')
  await writing
  expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
})

it('goes on beside a reader that never ends, which sees what it saw at first', async () => {
  const file = newFile()
  const store = await open(file)
  const reader = other(file)
  const count = (): unknown => reader.prepare('select count(*) from pgqrs_messages').pluck().get()
  reader.exec('begin')
  expect(count()).toBe(0)
  const producer = store.producer(queue)
  for (let n = 0; n < 50; n++) await producer.enqueueMany(Array.from({ length: 20 }, () => 'x'.repeat(1000)))
  const consumer = store.consumer(queue)
  await consumer.archiveMany(await consumer.dequeue({ limit: 1000 }))
  expect(count()).toBe(0)
  reader.exec('commit')
  expect(count()).toBe(1000)
  expect(await store.admin.metrics('numbers')).toMatchObject({ archived: 1000 })
})

it('says that the disk is full, leaves nothing half-written, and goes on when there is room', async () => {
  const client = new Database(newFile())
  onTestFinished(() => void client.close())
  const store = await connect({ client })
  onTestFinished(() => store.close())
  await store.admin.install()
  const producer = store.producer(queue)
  await producer.enqueue('fits')
  const pages = client.pragma('page_count', { simple: true }) as number
  client.pragma(`max_page_count = ${pages + 20}`)
  const batch = Array.from({ length: 100 }, (_, n) => `${n} ${'x'.repeat(10_000)}`)
  const refused: unknown = await producer.enqueueMany(batch).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(DatabaseError)
  expect((refused as Error).message).toMatch(/full/)
  expect(client.inTransaction).toBe(false)
  expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 1 })
  client.pragma(`max_page_count = ${pages + 2000}`)
  await producer.enqueueMany(batch)
  expect(await store.admin.metrics('numbers')).toMatchObject({ ready: 101 })
  expect(client.pragma('integrity_check', { simple: true })).toBe('ok')
})

it('syncs each commit to the disk unless it is told otherwise', async () => {
  const modes: unknown[] = []
  const look = defineWorkflow('look', async (run) => {
    await run.transaction('look', (tx: Connection) => {
      modes.push(tx.pragma('synchronous', { simple: true }), tx.pragma('journal_mode', { simple: true }))
    })
  })
  for (const options of [{}, { synchronous: 'normal' }] as const) {
    const store = await connect({ dsn: `sqlite:${newFile()}`, ...options })
    onTestFinished(() => store.close())
    await store.admin.install()
    await store.worker([look]).start()
    await (await store.trigger(look)).result({ timeout: '10s' })
  }
  const [full, normal] = [2, 1]
  expect(modes).toEqual([full, 'wal', normal, 'wal'])
})
