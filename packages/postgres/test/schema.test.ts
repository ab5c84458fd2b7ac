import { randomBytes } from 'node:crypto'
import {
  ConfigError,
  defineQueue,
  defineWorkflow,
  NotInstalledError,
  PermissionError,
  SchemaMissingError,
  type Store,
} from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import type { Sql, TransactionSql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../src/connect.js'
import { at, client, database } from './database.js'
import { open } from './stores.js'

const queue = defineQueue<number>('numbers')

/** Goes through the life of a message and of a run, and through what an operator does. */
async function useEverything(store: Store<TransactionSql>): Promise<void> {
  const ids = await store.producer(queue).enqueueMany([1, 2, 3, 4])
  const keyed = await store.producer(queue).enqueue(5, { key: 'five' })
  expect(await store.producer(queue).enqueue(6, { key: 'five', onConflict: 'replace' })).toBe(keyed)
  const hands = store.consumer(queue)
  const [first, second, third] = await hands.dequeue({ limit: 3 })
  await first!.extend('1m')
  await first!.archive()
  await second!.fail('no')
  await third!.release()
  await store.admin.dead.replay(second!.id)
  await store.admin.messages.cancel(ids[3]!)
  await hands.close()

  const workflow = defineWorkflow('booking', async (run, n: number) => {
    const seen = await run.step('look', () => n)
    await run.transaction('book', (tx) => tx`insert into "books"."booked" values (${run.id})`)
    await run.sleep('nap', 10)
    const { resumed } = await run.pause('wait')
    return resumed ? seen : 0
  })
  const seen: number[] = []
  const worker = store.worker([queue.handler(({ payload }) => void seen.push(payload)), workflow])
  await worker.start()
  const handle = await store.trigger(workflow, 7, { key: 'once' })
  await handle.resume('wait')
  expect(await handle.result()).toBe(7)
  expect((await handle.steps()).map(({ name }) => name).sort()).toEqual(['book', 'look', 'nap', 'wait'])
  await eventually('the messages', async () => (await store.admin.metrics('numbers')).archived === 5)
  await worker.stop()
  expect(seen.sort()).toEqual([2, 3, 6])

  await store.admin.stats()
  await store.admin.queues.pause('numbers')
  await store.admin.queues.resume('numbers')
  await store.admin.workers.purge(0)
  expect((await store.admin.messages.list({ queue: 'numbers' })).items).toHaveLength(5)
  await store.admin.queues.purge('numbers', 'all')
  await store.admin.queues.delete('numbers')
}

/** Names of everything of ours in a schema. */
async function ours(admin: Sql, schema: string): Promise<string[]> {
  const rows = await admin<{ name: string }[]>`select c.relname as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = ${schema}`
  return rows.map(({ name }) => name)
}

it('qualifies every object: it works where the search path leads to nothing', async () => {
  const dsn = await database()
  const admin = client(dsn)
  await admin.unsafe(
    'create schema app; create schema nothing; create schema books; create table books.booked (run uuid)',
  )
  const store = await open(`${dsn}?search_path=nothing`, { schema: 'app' })
  await store.admin.install()
  expect(await store.admin.verify()).toMatchObject({ ok: true })
  await useEverything(store)
  expect(await ours(admin, 'app')).toContain('pgqrs_messages')
  expect([await ours(admin, 'nothing'), await ours(admin, 'public')]).toEqual([[], []])
  await store.admin.uninstall({ confirm: 'drop every table of pgqrs' })
  expect(await ours(admin, 'app')).toEqual([])
})

it('says which statement creates the schema that is missing, and that is enough', async () => {
  const dsn = await database()
  const admin = client(dsn)
  const store = await open(dsn, { schema: 'app' })
  for (const call of [() => store.admin.install(), () => store.producer(queue).enqueue(1)]) {
    await expect(call()).rejects.toThrow(SchemaMissingError)
  }
  const error = (await store.admin.install().catch((e: unknown) => e)) as SchemaMissingError
  await admin.unsafe(/CREATE SCHEMA .*?(?=\.?$)/.exec(error.message)![0])
  await expect(store.producer(queue).enqueue(1)).rejects.toThrow(NotInstalledError)
  await store.admin.install()
  await store.producer(queue).enqueue(1)
})

it('says which GRANT is missing, one after the other, until a role can install and another can work', async () => {
  const dsn = await database()
  const admin = client(dsn)
  await admin.unsafe('create schema app; create schema books; create table books.booked (run uuid)')
  const [owner, user] = ['owner', 'user'].map((name) => `pgqrs_${name}_${randomBytes(4).toString('hex')}`)
  for (const role of [owner!, user!]) {
    await admin.unsafe(`create role ${role} login password 'secret'`)
    onTestFinished(async () => {
      await admin.unsafe(`drop owned by ${role} cascade; drop role ${role}`)
    })
  }

  async function granted(what: () => Promise<unknown>): Promise<string[]> {
    const grants: string[] = []
    for (;;) {
      const error: unknown = await what().then(
        () => undefined,
        (e: unknown) => e,
      )
      if (error === undefined) return grants
      expect(error).toBeInstanceOf(PermissionError)
      const [grant] = /GRANT .*?(?=\.?$)/.exec((error as Error).message) ?? ['']
      expect(grants).not.toContain(grant)
      grants.push(grant)
      await admin.unsafe(grant)
    }
  }
  const installing = await open(at(dsn, { user: owner!, password: 'secret' }), { schema: 'app' })
  expect(await granted(() => installing.admin.install())).toEqual([
    `GRANT USAGE ON SCHEMA app TO ${owner!}`,
    `GRANT CREATE ON SCHEMA app TO ${owner!}`,
  ])
  const working = await open(at(dsn, { user: user!, password: 'secret' }), { schema: 'app' })
  const tables = ['messages', 'migrations', 'queues', 'steps', 'tallies', 'workers'].map(
    (t) => `app.pgqrs_${t}`,
  )
  const grants = await granted(() => working.producer(queue).enqueue(1))
  expect(grants).toEqual([
    `GRANT USAGE ON SCHEMA app TO ${user!}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.join(', ')} TO ${user!}`,
  ])
  await admin.unsafe(`grant usage on schema books to ${user!}; grant insert on books.booked to ${user!}`)
  await working.admin.queues.purge('numbers', 'all')
  await useEverything(working)
})

it.each(['app; drop table x', 'App', '"app"', 'a.b', '', 'ä', 'x'.repeat(64), 'pg_catalog\0'])(
  'refuses the schema %j before anything is sent',
  async (schema) => {
    // Nobody listens there.
    await expect(connect({ dsn: 'postgres://127.0.0.1:1/none', schema })).rejects.toThrow(ConfigError)
  },
)
