import Database from 'better-sqlite3'
import knex from 'knex'
import { Kysely, SqliteDialect } from 'kysely'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  ClosedError,
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

  it('finds the message that has the key, or replaces it', async () => {
    const db = application()
    const producer = store.producer(orders)
    const id = await producer.enqueue({ order: 1 }, { key: 'k' })
    const calls: Promise<string>[] = []
    db.transaction(() => {
      calls.push(producer.enqueue({ order: 2 }, { key: 'k', tx: db }))
      calls.push(producer.enqueue({ order: 4 }, { key: 'k', onConflict: 'replace', tx: db }))
    })()
    expect(await Promise.all(calls)).toEqual([id, id])
    expect(await waiting()).toEqual([{ order: 4 }])
  })

  type Order = { order: number }
  type Verdict = { readonly value: Order } | { readonly issues: readonly { readonly message: string }[] }
  const schema = (validate: (value: unknown) => Verdict | Promise<Verdict>) => ({
    '~standard': { version: 1 as const, vendor: 'test', validate },
  })
  const no: Verdict = { issues: [{ message: 'no' }] }
  const strict = defineQueue('orders', { payload: schema(() => no) })
  const slow = defineQueue('orders', { payload: schema(() => Promise.resolve(no)) })
  const refusals: Record<string, [code: string, enqueue: (tx: Database.Database) => unknown]> = {
    'a key that is taken': [
      'KEY_CONFLICT',
      (tx) => store.producer(orders).enqueue({ order: 2 }, { key: 'k', onConflict: 'reject', tx }),
    ],
    'a key that is taken, in a batch': [
      'KEY_CONFLICT',
      (tx) =>
        store
          .producer(orders)
          .enqueueMany([{ order: 2 }, { order: 3 }], { each: { key: 'k', onConflict: 'reject' }, tx }),
    ],
    'a key that stands for a run with another input': [
      'KEY_CONFLICT',
      (tx) => store.trigger(ship, { order: 2 }, { key: 'run', tx }),
    ],
    'an id that is taken': [
      'ID_CONFLICT',
      (tx) => store.producer(orders).enqueue({ order: 2 }, { id: taken, tx }),
    ],
    'a payload that does not fit': [
      'INVALID_PAYLOAD',
      (tx) => store.producer(strict).enqueue({ order: 101 }, { tx }),
    ],
    'a payload that cannot be stored': [
      'UNSERIALIZABLE',
      (tx) => store.producer<unknown>('orders').enqueueMany([1, () => 1], { tx }),
    ],
    'a schema that would have to be waited for': [
      'INVALID_ARGUMENT',
      (tx) => store.producer(slow).enqueue({ order: 1 }, { tx }),
    ],
    'an option that does not exist': [
      'INVALID_CONFIG',
      (tx) => store.trigger(ship, { order: 1 }, { kee: 'k', tx } as never),
    ],
    'what the database refuses': [
      'DATABASE_ERROR',
      (tx) => store.producer(orders).enqueueMany([{ order: 2 }, { order: 666 }], { tx }),
    ],
  }
  let taken = ''

  it.each(Object.keys(refusals))('is rolled back by %s, which is thrown in it', async (name) => {
    const db = application()
    taken = await store.producer(orders).enqueue({ order: 1 }, { key: 'k' })
    await store.trigger(ship, { order: 1 }, { key: 'run' })
    db.exec(
      `create trigger refuse before insert on pgqrs_messages when new.payload like '%666%' begin select raise(fail, 'no'); end`,
    )
    const [code, enqueue] = refusals[name]!
    const place = db.transaction(() => {
      db.prepare('insert into placed values (1)').run()
      void enqueue(db)
    })
    expect(place).toThrow(expect.objectContaining({ code }))
    expect(placed()).toEqual([])
    expect(await waiting()).toEqual([{ order: 1 }, { order: 1 }])
  })

  it('goes on when it catches what was refused, and nothing of that stays', async () => {
    const db = application()
    const producer = store.producer(orders)
    await producer.enqueue({ order: 1 }, { key: 'k' })
    db.transaction(() => {
      expect(() => producer.enqueue({ order: 2 }, { key: 'k', onConflict: 'reject', tx: db })).toThrow(
        KeyConflictError,
      )
      void producer.enqueue({ order: 3 }, { tx: db })
    })()
    expect(await waiting()).toEqual([{ order: 1 }, { order: 3 }])
  })

  it('is refused where there is none, and by a store that is closed', async () => {
    const db = application()
    expect(() => store.producer(orders).enqueue({ order: 1 }, { tx: db })).toThrow(
      /no transaction is open.*db\.transaction/,
    )
    const other = await connect(`sqlite:${path}`)
    const producer = other.producer(orders)
    await other.close()
    const place = db.transaction(() => producer.enqueue({ order: 1 }, { tx: db }))
    expect(place).toThrow(ClosedError)
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
