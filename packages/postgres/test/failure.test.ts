import { inspect } from 'node:util'
import { randomBytes } from 'node:crypto'
import { eventually, startProxy } from '@pgqrs/test-database'
import type { Sql, TransactionSql } from 'postgres'
import { expect, it, onTestFinished } from 'vitest'
import type { Failure, Statement, TransactionPlan } from '@pgqrs/core/driver'
import type { PostgresDriver } from '../src/driver.js'
import { parametersOfDsn } from '../src/parameters.js'
import { at, client, database, driverFor, hastyClock } from './database.js'
import { plan } from './plan.js'

const ROLE_PASSWORD = 'canary-of-the-role'

function statement(sql: string, parameters: unknown[] = []): Statement {
  return { sql, parameters, reads: false }
}

async function failure(driver: PostgresDriver, ...texts: string[]): Promise<Failure> {
  const error: unknown = await driver.execute(texts.map((text) => statement(text))).then(
    () => 'no error',
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(Error)
  return driver.classify(error)
}

/** A role without any right, and its dsn. */
async function role(
  admin: Sql,
  dsn: string,
  name = `pgqrs_role_${randomBytes(4).toString('hex')}`,
): Promise<string> {
  const quoted = `"${name.replaceAll('"', '""')}"`
  await admin.unsafe(`create role ${quoted} login password '${ROLE_PASSWORD}'`)
  onTestFinished(async () => {
    await admin.unsafe(`drop owned by ${quoted}; drop role ${quoted}`)
  })
  return at(dsn, { user: encodeURIComponent(name), password: ROLE_PASSWORD })
}

it.each<[string, Failure['kind']]>([
  ["do $$ begin raise sqlstate '40001'; end $$", 'retry'],
  ["do $$ begin raise sqlstate '40P01'; end $$", 'retry'],
  ["do $$ begin raise sqlstate '55P03'; end $$", 'retry'],
  ['set statement_timeout = 1; select pg_sleep(1)', 'retry'],
  ["do $$ begin raise sqlstate '53300'; end $$", 'unsent'],
  ["do $$ begin raise sqlstate '57P03'; end $$", 'unsent'],
  ['begin read only; create table t (i int)', 'read_only'],
  ['create table u (i int unique); insert into u values (1), (1)', 'unique'],
  ['select * from pgqrs_messages', 'not_installed'],
  ['select * from application_table', 'other'],
  ['select 1 / 0', 'other'],
  ['select pg_terminate_backend(pg_backend_pid())', 'broken'],
])('classifies the failure of %s', async (text, kind) => {
  const driver = driverFor(await database())
  expect((await failure(driver, text)).kind).toBe(kind)
  expect(await driver.execute([statement('select 1 as one')])).toEqual([[{ one: 1 }]])
})

it.each<[string, string | undefined, Failure['kind']]>([
  ['a wrong password', 'postgres', 'authentication'],
  ['an unknown user', 'nobody_at_all', 'authentication'],
])('classifies %s', async (_what, user, kind) => {
  const dsn = at(await database(), { password: 'wrong-canary', ...(user === undefined ? {} : { user }) })
  const driver = driverFor(dsn)
  expect((await failure(driver, 'select 1')).kind).toBe(kind)
})

it('classifies a database that does not exist', async () => {
  const driver = driverFor(at(await database(), { database: 'not_there' }))
  expect(await failure(driver, 'select 1')).toEqual({
    kind: 'other',
    detail: expect.stringContaining('Create the database'),
  })
})

it('classifies a server that is not there, a name that is not there and one that never answers', async () => {
  const dsn = await database()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  proxy.halfOpen()
  const silent = driverFor(proxy.dsn, { connectionTimeoutMs: 200 })
  const all = Promise.all(Array.from({ length: 30 }, () => failure(silent, 'select 1')))
  const begun = performance.now()
  expect(new Set((await all).map(({ kind }) => kind))).toEqual(new Set(['unsent']))
  expect(performance.now() - begun).toBeLessThan(5000)
  proxy.refuse()
  expect((await failure(driverFor(proxy.dsn), 'select 1')).kind).toBe('unsent')
  expect((await failure(driverFor('postgres://name.invalid/db'), 'select 1')).kind).toBe('unsent')
})

it('does not wait for ever for a password or a socket that never comes', async () => {
  const parameters = parametersOfDsn(await database(), true)
  const password = driverFor('postgres://h', {
    parameters: { ...parameters, password: () => new Promise(() => {}) },
    connectionTimeoutMs: 50,
  })
  const socket = driverFor('postgres://h', {
    parameters: { ...parameters, openSocket: () => new Promise(() => {}) },
    connectionTimeoutMs: 50,
  })
  const refused = driverFor('postgres://h', {
    parameters: { ...parameters, password: () => Promise.reject(new Error('vault is sealed')) },
  })
  expect((await failure(password, 'select 1')).kind).toBe('unsent')
  expect((await failure(socket, 'select 1')).kind).toBe('unsent')
  await expect(refused.execute([statement('select 1')])).rejects.toThrow('vault is sealed')
})

it('finds out about a connection that went dead without a word', async () => {
  const dsn = await database()
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const driver = driverFor(proxy.dsn, { connectionTimeoutMs: 2000 })
  await driver.execute([statement('select 1')])
  proxy.halfOpen()
  expect((await failure(driver, 'select 1')).kind).toBe('broken')
  await proxy.heal()
  await driver.execute([statement('select 1')])
}, 20_000)

it('cancels a statement that takes too long, so that its effect is known', async () => {
  const dsn = await database()
  const driver = driverFor(dsn, { connectionTimeoutMs: 2000 })
  expect((await failure(driver, 'select pg_sleep(20)')).kind).toBe('retry')
}, 20_000)

it('has more patience with a statement that is slow by nature', async () => {
  const clock = hastyClock((ms) => (ms >= 5000 ? ms / 100 : ms))
  const driver = driverFor(await database(), { connectionTimeoutMs: 2000, clock })
  const sleep = statement('select 1 as one from pg_sleep(0.5)')
  const cancelled = await driver.execute([sleep]).catch((error: unknown) => driver.classify(error).kind)
  expect(cancelled).toBe('retry')
  expect(await driver.execute([{ ...sleep, slow: true }])).toEqual([[{ one: 1 }]])
})

it('says which schema to create, also where Postgres only misses a table', async () => {
  const dsn = await database()
  const admin = client(dsn)
  const driver = driverFor(dsn, { schema: 'app' })
  const missing = { kind: 'schema_missing', detail: 'Run: CREATE SCHEMA app' }
  expect(await failure(driver, 'create table "app".t (i int)')).toEqual(missing)
  expect(await failure(driver, 'select * from "app".pgqrs_messages')).toEqual(missing)
  await admin.unsafe('CREATE SCHEMA app')
  expect((await failure(driver, 'select * from "app".pgqrs_messages')).kind).toBe('not_installed')
  expect(await driver.execute([statement('create table "app".t (i int)')])).toHaveLength(1)
})

it.each(['bob', 'Bob "the" Builder'])(
  'names the GRANTs that role %s needs, and they are enough',
  async (name) => {
    const dsn = await database()
    const admin = client(dsn)
    await admin.unsafe('create schema app; create table app.pgqrs_t (i int)')
    const driver = driverFor(await role(admin, dsn, `${name}_${randomBytes(3).toString('hex')}`), {
      schema: 'app',
    })
    for (const text of [
      'create table app.mine (i int)',
      'select * from app.pgqrs_t',
      'insert into app.pgqrs_t values (1)',
      'alter table app.pgqrs_t add j int',
    ]) {
      const grants: string[] = []
      await eventually(`${text} to work`, async () => {
        const error: unknown = await driver.execute([statement(text)]).then(
          () => undefined,
          (e: unknown) => e,
        )
        if (error === undefined) return true
        const { kind, detail = '' } = driver.classify(error)
        expect(kind).toBe('permission')
        expect(grants).not.toContain(detail)
        grants.push(detail)
        await admin.unsafe(detail)
        return false
      })
    }
  },
)

it('explains what fails around a user’s transaction, and leaves alone what fails inside of it', async () => {
  const dsn = await database()
  await client(dsn).unsafe(
    'create schema app; create table app.pgqrs_t (i int); create table app.mine (i int)',
  )
  const admin = client(dsn)
  const driver = driverFor(await role(admin, dsn), { schema: 'app' })
  const failureOf = async (parts: Partial<TransactionPlan<TransactionSql, unknown>>): Promise<Failure> => {
    const error: unknown = await driver.transaction(plan<unknown>(() => undefined, parts)).then(
      () => 'no error',
      (e: unknown) => e,
    )
    return driver.classify(error)
  }
  const read = statement('select * from app.pgqrs_t')
  const usage = {
    kind: 'permission',
    detail: expect.stringMatching(/^GRANT USAGE ON SCHEMA app TO /),
  }
  expect(await failureOf({ before: read })).toEqual(usage)
  expect(await failureOf({ after: () => [read] })).toEqual(usage)
  const missing = statement('select * from app.pgqrs_missing')
  await admin.unsafe(String((await failureOf({ before: read })).detail))
  expect(await failureOf({ before: missing })).toEqual({ kind: 'not_installed' })
  expect(
    await failureOf({
      work: async (tx) => {
        await tx`select * from app.mine`
      },
    }),
  ).toEqual({ kind: 'permission' })
})

it('names the GRANT for the schema of the search path', async () => {
  const dsn = await database()
  const admin = client(dsn)
  await admin.unsafe('revoke create on schema public from public')
  const driver = driverFor(await role(admin, dsn))
  const { kind, detail } = await failure(driver, 'create table t (i int)')
  expect([kind, detail]).toEqual([
    'permission',
    expect.stringMatching(/^GRANT CREATE ON SCHEMA public TO pgqrs_role_/),
  ])
})

it('shows the password nowhere', async () => {
  const password = 'canary %/@:?#ä'
  const dsn = await database()
  const shown: unknown[] = []
  const forms = [
    at(dsn, { password: encodeURIComponent(password) }),
    `${at(dsn, { password: '' })}?password=${encodeURIComponent(password)}`,
    `postgres://u:${encodeURIComponent(password)}@127.0.0.1:1/db`,
  ]
  for (const form of forms) {
    const driver = driverFor(form, { listen: parametersOfDsn(form, true) })
    shown.push(driver, await driver.execute([statement('select 1')]).catch((e: unknown) => e))
  }
  const live = driverFor(await role(client(dsn), dsn))
  shown.push(live, await live.execute([statement('select 1 / 0')]).catch((e: unknown) => e))
  const all = shown
    .map((thing) => inspect(thing, { depth: 20, showHidden: true }) + JSON.stringify(thing))
    .join('\n')
  expect(all).not.toContain('canary')
  expect(all).not.toContain(encodeURIComponent(password))
})
