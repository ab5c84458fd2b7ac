import Database from 'better-sqlite3'
import knex from 'knex'
import { Kysely, SqliteDialect } from 'kysely'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  defineQueue,
  defineWorkflow,
  fromKnex,
  fromKysely,
  KeyConflictError,
  type TransactionAdapter,
} from '@pgqrs/core'
import { connect } from '../src/index.js'

const orders = defineQueue<{ order: number }>('orders')
const ship = defineWorkflow('ship', (_run, input: { order: number }) => Promise.resolve(input.order))

type Store = Awaited<ReturnType<typeof connect>>
let path: string
let store: Store

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-adapters-'))
  path = join(folder, 'app.db')
  store = await connect(`sqlite:${path}`)
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await store.admin.install()
  const db = new Database(path)
  db.exec('create table placed (number integer primary key)')
  db.close()
})

function application(): Database.Database {
  const db = new Database(path)
  onTestFinished(() => {
    db.close()
  })
  return db
}

async function waiting(): Promise<unknown[]> {
  const { items } = await store.admin.messages.list()
  return items.map(({ payload }) => payload).reverse()
}

const placed = (): unknown[] => application().prepare('select number from placed').pluck().all()

describe("better-sqlite3's own synchronous transaction", () => {
  it('takes the message with it when it commits, though nothing in it is awaited', async () => {
    const db = application()
    const producer = store.producer(orders)
    const enqueued: Promise<unknown>[] = []
    const place = db.transaction((number: number) => {
      db.prepare('insert into placed values (?)').run(number)
      enqueued.push(producer.enqueue({ order: number }, { tx: db }))
      enqueued.push(store.trigger(ship, { order: number }, { tx: db }))
      // Both rows are in the transaction by now.
      expect(db.prepare('select count(*) from pgqrs_messages').pluck().get()).toBe(2)
    })
    place(1)
    // And committed with it, before a single promise has had its turn.
    expect(application().prepare('select count(*) from pgqrs_messages').pluck().get()).toBe(2)
    await Promise.all(enqueued)
    expect(await waiting()).toEqual([{ order: 1 }, { order: 1 }])
    expect(placed()).toEqual([1])
  })

  it('takes a batch with it', async () => {
    const db = application()
    const producer = store.producer(orders)
    db.transaction(() => {
      void producer.enqueueMany([{ order: 1 }, { order: 2 }], { tx: db })
    })()
    expect(await waiting()).toEqual([{ order: 1 }, { order: 2 }])
  })

  it('takes nothing with it when it is rolled back, and the queue works afterwards', async () => {
    const db = application()
    const producer = store.producer(orders)
    const place = db.transaction((number: number) => {
      db.prepare('insert into placed values (?)').run(number)
      void producer.enqueue({ order: number }, { tx: db })
      if (number === 1) throw new Error('no stock')
    })
    expect(() => {
      place(1)
    }).toThrow('no stock')
    expect(await store.admin.messages.list()).toMatchObject({ items: [] })
    expect(await store.admin.queues.list()).toEqual([])
    expect(placed()).toEqual([])
    place(2)
    expect(await waiting()).toEqual([{ order: 2 }])
  })

  it('finds the message that has the key, or says that it is taken, after the transaction is over', async () => {
    const db = application()
    const producer = store.producer(orders)
    const id = await producer.enqueue({ order: 1 }, { key: 'k' })
    const calls: Promise<string>[] = []
    db.transaction(() => {
      calls.push(producer.enqueue({ order: 2 }, { key: 'k', tx: db }))
      calls.push(producer.enqueue({ order: 3 }, { key: 'k', onConflict: 'reject', tx: db }))
      calls.push(producer.enqueue({ order: 4 }, { key: 'k', onConflict: 'replace', tx: db }))
    })()
    const [ignored, rejected, replaced] = await Promise.allSettled(calls)
    expect(ignored).toEqual({ status: 'fulfilled', value: id })
    expect(rejected).toMatchObject({ status: 'rejected', reason: expect.any(KeyConflictError) })
    expect(replaced).toEqual({ status: 'fulfilled', value: id })
    expect(await waiting()).toEqual([{ order: 4 }])
  })

  it('is refused where there is none', async () => {
    await expect(store.producer(orders).enqueue({ order: 1 }, { tx: application() })).rejects.toThrow(
      /no transaction is open.*db\.transaction/,
    )
    expect(await waiting()).toEqual([])
  })
})

interface Library {
  readonly name: string
  /** Opens the library on the file; the transaction also writes a row of the application's. */
  open(): Promise<
    (
      work: (tx: TransactionAdapter, place: (number: number) => Promise<void>) => Promise<void>,
    ) => Promise<void>
  >
}

const libraries: readonly Library[] = [
  {
    name: 'kysely',
    open: () => {
      const db = new Kysely<{ placed: { number: number } }>({
        dialect: new SqliteDialect({ database: new Database(path) }),
      })
      onTestFinished(() => db.destroy())
      return Promise.resolve((work) =>
        db.transaction().execute((trx) =>
          work(fromKysely(trx), async (number) => {
            await trx.insertInto('placed').values({ number }).execute()
          }),
        ),
      )
    },
  },
  {
    name: 'knex',
    open: () => {
      const db = knex({ client: 'better-sqlite3', connection: { filename: path }, useNullAsDefault: true })
      onTestFinished(() => db.destroy())
      return Promise.resolve((work) =>
        db.transaction((trx) =>
          work(fromKnex(trx), async (number) => {
            await trx('placed').insert({ number })
          }),
        ),
      )
    },
  },
]

describe.each(libraries)('a transaction of $name', ({ open }) => {
  it('takes the message with it when it commits', async () => {
    const transaction = await open()
    const ids: string[] = []
    await transaction(async (tx, place) => {
      await place(1)
      ids.push(await store.producer(orders).enqueue({ order: 1 }, { tx }))
      ids.push(...(await store.producer(orders).enqueueMany([{ order: 2 }, { order: 3 }], { tx })))
      ids.push((await store.trigger(ship, { order: 4 }, { tx, key: 'ship-4' })).id)
    })
    expect(await waiting()).toEqual([1, 2, 3, 4].map((order) => ({ order })))
    expect((await store.admin.messages.list()).items.map(({ id }) => id).sort()).toEqual(ids.sort())
    expect(placed()).toEqual([1])
  })

  it('takes nothing with it when it is rolled back', async () => {
    const transaction = await open()
    const rolledBack = transaction(async (tx, place) => {
      await place(1)
      await store.producer(orders).enqueue({ order: 1 }, { tx })
      throw new Error('no stock')
    })
    await expect(rolledBack).rejects.toThrow('no stock')
    expect(await waiting()).toEqual([])
    expect(placed()).toEqual([])
  })

  it('finds and replaces the message that has the key, and goes on after it was refused', async () => {
    const transaction = await open()
    const producer = store.producer(orders)
    const id = await producer.enqueue({ order: 1 }, { key: 'k' })
    await transaction(async (tx, place) => {
      expect(await producer.enqueue({ order: 2 }, { key: 'k', tx })).toBe(id)
      await expect(producer.enqueue({ order: 3 }, { key: 'k', onConflict: 'reject', tx })).rejects.toThrow(
        KeyConflictError,
      )
      expect(await producer.enqueue({ order: 4 }, { key: 'k', onConflict: 'replace', tx })).toBe(id)
      await place(4)
    })
    expect(await waiting()).toEqual([{ order: 4 }])
    expect(placed()).toEqual([4])
  })
})
