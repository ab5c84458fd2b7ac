import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle as drizzleOverPg } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOverPostgresJs } from 'drizzle-orm/postgres-js'
import knex from 'knex'
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import { Client, Pool } from 'pg'
import { DataSource } from 'typeorm'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  DatabaseError,
  defineQueue,
  defineWorkflow,
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPg,
  fromPrisma,
  fromTypeOrm,
  InvalidArgumentError,
  KeyConflictError,
  NotInstalledError,
  TransactionAdapter,
} from '@pgqrs/core'
import { connect } from '../src/index.js'
import { client, database } from './database.js'

type Row = Record<string, unknown>

const orders = defineQueue<{ order: number }>('orders')
const ship = defineWorkflow('ship', (_run, input: { order: number }) => Promise.resolve(input.order))

let dsn: string
let store: Awaited<ReturnType<typeof connect>>

beforeEach(async () => {
  dsn = await database()
  const sql = client(dsn)
  await sql`create schema app`
  await sql`create table placed (number int primary key)`
  store = await connect({ dsn, schema: 'app' })
  onTestFinished(() => store.close())
})

/** Writes an order of the application's in the same transaction. */
type Place = (number: number) => Promise<unknown>
/** Runs work in a transaction of the library. */
type Transaction = (work: (tx: TransactionAdapter, place: Place) => Promise<void>) => Promise<unknown>

function pool(): Pool {
  const connections = new Pool({ connectionString: dsn, max: 2 })
  // Pool.end() may resolve before its last connection is closed, which then hears that the database is dropped.
  connections.on('connect', (connection) => connection.on('error', () => undefined))
  onTestFinished(() => connections.end())
  return connections
}

const overPg =
  (adapt: (client: Client) => TransactionAdapter): (() => Promise<Transaction>) =>
  async () => {
    const connection = new Client({ connectionString: dsn })
    await connection.connect()
    onTestFinished(() => connection.end())
    return async (work) => {
      await connection.query('begin')
      try {
        await work(adapt(connection), (number) =>
          connection.query('insert into placed values ($1)', [number]),
        )
        await connection.query('commit')
      } catch (error) {
        await connection.query('rollback')
        throw error
      }
    }
  }

function withKysely(plugins: CamelCasePlugin[]): Promise<Transaction> {
  const db = new Kysely<{ placed: { number: number } }>({
    dialect: new PostgresDialect({ pool: pool() }),
    plugins,
  })
  return Promise.resolve((work) =>
    db
      .transaction()
      .execute((trx) =>
        work(fromKysely(trx), (number) => trx.insertInto('placed').values({ number }).execute()),
      ),
  )
}

function withKnex(): Promise<Transaction> {
  const db = knex({ client: 'pg', connection: dsn })
  onTestFinished(() => db.destroy())
  return Promise.resolve((work) =>
    db.transaction((trx) =>
      work(fromKnex(trx), async (number) => {
        await trx('placed').insert({ number })
      }),
    ),
  )
}

async function withTypeOrm(): Promise<Transaction> {
  const source = await new DataSource({ type: 'postgres', url: dsn, poolSize: 2 }).initialize()
  onTestFinished(() => source.destroy())
  return (work) =>
    source.transaction((manager) =>
      work(fromTypeOrm(manager), (number) => manager.query('insert into placed values ($1)', [number])),
    )
}

function withDrizzleOverPg(): Promise<Transaction> {
  const db = drizzleOverPg(pool())
  return Promise.resolve((work) =>
    db.transaction((tx) =>
      work(fromDrizzle(tx, drizzleSql), (number) =>
        tx.execute(drizzleSql`insert into placed values (${number})`),
      ),
    ),
  )
}

function withDrizzleOverPostgresJs(): Promise<Transaction> {
  const db = drizzleOverPostgresJs(client(dsn))
  return Promise.resolve((work) =>
    db.transaction((tx) =>
      work(fromDrizzle(tx, drizzleSql), (number) =>
        tx.execute(drizzleSql`insert into placed values (${number})`),
      ),
    ),
  )
}

// Prisma's engine and client cannot be generated here. This has the two properties the adapter relies on: rows as
// objects, and parameters one by one.
const prismaLike = (connection: Client): TransactionAdapter =>
  fromPrisma({
    $queryRawUnsafe: async (sql, ...parameters) => (await connection.query(sql, parameters)).rows as unknown,
  })

const libraries: readonly (readonly [name: string, open: () => Promise<Transaction>])[] = [
  ['pg', overPg(fromPg)],
  ['Kysely', () => withKysely([])],
  ['Kysely with names in camel case', () => withKysely([new CamelCasePlugin()])],
  ['Knex', withKnex],
  ['TypeORM', withTypeOrm],
  ['Drizzle over pg', withDrizzleOverPg],
  ['Drizzle over postgres.js', withDrizzleOverPostgresJs],
  ["something shaped like Prisma's (Prisma itself cannot run here)", overPg(prismaLike)],
  [
    'a library of one’s own',
    overPg(
      (connection) =>
        new TransactionAdapter(async (sql, values) => (await connection.query<Row>(sql, [...values])).rows),
    ),
  ],
]

describe.each(libraries)('a transaction of %s', (_name, open) => {
  it('takes messages and runs with it when it commits', async () => {
    await store.admin.install()
    const transaction = await open()
    const producer = store.producer(orders)
    const ids: string[] = []
    await transaction(async (tx, place) => {
      await place(1)
      ids.push(await producer.enqueue({ order: 1 }, { tx, priority: 3, delay: '1h' }))
      ids.push(...(await producer.enqueueMany([{ order: 2 }, { order: 3 }], { tx })))
      ids.push((await store.trigger(ship, { order: 4 }, { tx, key: 'ship-4' })).id)
      expect(await waiting()).toEqual([])
    })
    const { items } = await store.admin.messages.list()
    expect(items.map(({ id }) => id).sort()).toEqual(ids.sort())
    expect(await waiting()).toEqual([1, 2, 3, 4].map((order) => ({ order })))
    expect(await placed()).toEqual([1])
    expect(await store.admin.metrics('orders')).toMatchObject({ ready: 2, delayed: 1 })
  })

  it('takes nothing with it when it is rolled back, and the queue works afterwards', async () => {
    await store.admin.install()
    const transaction = await open()
    const producer = store.producer(orders)
    const rolledBack = transaction(async (tx, place) => {
      await place(1)
      await producer.enqueue({ order: 1 }, { tx })
      await store.trigger(ship, { order: 1 }, { tx })
      throw new Error('no stock')
    })
    await expect(rolledBack).rejects.toThrow('no stock')
    expect(await waiting()).toEqual([])
    expect(await placed()).toEqual([])
    await producer.enqueue({ order: 2 })
    expect(await store.admin.metrics('orders')).toMatchObject({ ready: 1 })
  })

  it('finds and replaces the message that has the key, and goes on after it was refused', async () => {
    await store.admin.install()
    const transaction = await open()
    const producer = store.producer(orders)
    const id = await producer.enqueue({ order: 1 }, { key: 'k' })
    await transaction(async (tx, place) => {
      expect(await producer.enqueue({ order: 2 }, { key: 'k', tx })).toBe(id)
      const refused = producer.enqueue({ order: 3 }, { key: 'k', onConflict: 'reject', tx })
      await expect(refused).rejects.toThrow(KeyConflictError)
      expect(await producer.enqueue({ order: 4 }, { key: 'k', onConflict: 'replace', tx })).toBe(id)
      expect(await producer.enqueue({ order: 5 }, { key: 'other', onConflict: 'replace', tx })).not.toBe(id)
      await place(4)
    })
    expect(await waiting()).toEqual([{ order: 4 }, { order: 5 }])
    expect(await placed()).toEqual([4])
  })

  it('carries text as it is: quotes, placeholders, backslashes, other scripts', async () => {
    await store.admin.install()
    const transaction = await open()
    const texts = [
      `it's "quoted"`,
      '$1 ? ?? :name \\? {NULL,"a"}',
      '\\',
      '日本 😀',
      "'); drop table placed; --",
      '\0',
    ]
    const queue = defineQueue<string>('texts')
    await transaction(async (tx) => {
      await store
        .producer(queue)
        .enqueueMany(texts, { tx, each: (text) => (text === '\0' ? {} : { key: text }) })
      expect(
        await store.producer(queue).enqueueMany(texts.slice(0, 5), { tx, each: (key) => ({ key }) }),
      ).toHaveLength(5)
    })
    const messages = await store.consumer(queue).dequeue({ limit: 10 })
    expect(messages.map(({ payload }) => payload).sort()).toEqual([...texts].sort())
    expect(await placed()).toEqual([])
  })

  it('says what is wrong with the tables, not that the transaction is aborted', async () => {
    const transaction = await open()
    const failed = transaction(async (tx) => {
      await store.producer(orders).enqueue({ order: 1 }, { tx })
    })
    await expect(failed).rejects.toThrow(NotInstalledError)
  })

  it('never shows a payload when the database refuses it', async () => {
    await store.admin.install()
    const transaction = await open()
    await client(dsn)`alter table app.pgqrs_messages add check (payload not like '%unlucky%')`
    const failed = transaction(async (tx) => {
      await store.producer<string>('texts').enqueue('unlucky p4ss-canary', { tx })
    })
    const error: unknown = await failed.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DatabaseError)
    expect((error as Error).message).not.toContain('p4ss-canary')
  })
})

/** What has the same methods as a transaction, and commits each statement by itself. */
const clients: Record<string, () => unknown> = {
  'a Pool of pg': () => fromPg(pool()),
  'a Kysely': () => fromKysely(new Kysely({ dialect: new PostgresDialect({ pool: pool() }) }) as never),
  'a Knex': () => {
    const db = knex({ client: 'pg', connection: dsn })
    onTestFinished(() => db.destroy())
    return fromKnex(db)
  },
  'a DataSource’s manager': () =>
    fromTypeOrm(new DataSource({ type: 'postgres', url: dsn, poolSize: 2 }).manager),
  'a QueryRunner before its transaction': () =>
    fromTypeOrm(new DataSource({ type: 'postgres', url: dsn }).createQueryRunner()),
  'a database of Drizzle': () => fromDrizzle(drizzleOverPg(pool()), drizzleSql),
  'something shaped like a PrismaClient': () =>
    fromPrisma({ $connect: () => undefined, $queryRawUnsafe: () => Promise.resolve([]) } as never),
}

it.each(Object.keys(clients))('refuses %s, which is no transaction', (name) => {
  expect(clients[name]).toThrow(InvalidArgumentError)
  expect(clients[name]).toThrow(/is no transaction\. Pass the /)
})

async function waiting(): Promise<unknown[]> {
  const { items } = await store.admin.messages.list()
  return items.map(({ payload }) => payload).reverse()
}

async function placed(): Promise<unknown[]> {
  return (await client(dsn)`select number from placed`).map(({ number }) => number as unknown)
}
