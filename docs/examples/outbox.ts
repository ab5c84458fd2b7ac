// Transactional enqueue: a message exists if and only if the transaction of the application commits.
import { defineQueue } from '@pgqrs/core'
import { connect as connectPostgres } from '@pgqrs/postgres'
import { connect as connectSqlite } from '@pgqrs/sqlite'
import Database from 'better-sqlite3'
import postgres from 'postgres'

const receipts = defineQueue<{ order: string }>('receipts')
const createTable = 'create table if not exists example_orders (id text primary key)'

const dsn = process.argv[2] ?? ':memory:'
if (dsn.startsWith('postgres')) await onPostgres(dsn)
else await onSqlite(dsn.replace(/^sqlite:/, ''))

async function onPostgres(address: string): Promise<void> {
  const sql = postgres(address, { onnotice: () => undefined })
  const store = await connectPostgres({ client: sql })
  await store.admin.install()
  await sql.unsafe(createTable)
  const producer = store.producer(receipts)

  const placeOrder = (order: string, fails: boolean): Promise<unknown> =>
    sql.begin(async (tx) => {
      await tx`insert into example_orders values (${order})`
      await producer.enqueue({ order }, { tx })
      if (fails) throw new Error('the card was declined')
    })
  await placeOrder('o-1', false)
  await placeOrder('o-2', true).catch((error: unknown) => {
    console.log('rolled back:', (error as Error).message)
  })

  const orders = await sql<{ id: string }[]>`select id from example_orders`
  console.log('orders:', orders.map(({ id }) => id).join())
  console.log('messages:', (await store.admin.metrics(receipts.name)).ready)
  await store.close()
  await sql.end()
}

async function onSqlite(file: string): Promise<void> {
  const db = new Database(file)
  const store = await connectSqlite({ client: db })
  await store.admin.install()
  db.exec(createTable)
  const producer = store.producer(receipts)

  // better-sqlite3's transactions are synchronous, and so is an enqueue in one: it is executed before the call returns, and
  // what it throws, such as a payload that was refused, rolls back.
  const placeOrder = db.transaction((order: string, fails: boolean) => {
    db.prepare('insert into example_orders values (?)').run(order)
    void producer.enqueue({ order }, { tx: db })
    if (fails) throw new Error('the card was declined')
  })
  placeOrder('o-1', false)
  try {
    placeOrder('o-2', true)
  } catch (error) {
    console.log('rolled back:', (error as Error).message)
  }

  const orders = db.prepare<[], { id: string }>('select id from example_orders').all()
  console.log('orders:', orders.map(({ id }) => id).join())
  console.log('messages:', (await store.admin.metrics(receipts.name)).ready)
  await store.close()
  db.close()
}
