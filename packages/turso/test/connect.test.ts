import { createClient } from '@libsql/client'
import { AuthenticationError, ConfigError } from '@pgqrs/core/driver'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { connect, type TursoOptions } from '../src/index.js'
import { failureOf, newFile, newServer } from './under-test.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

it('takes a DSN, options, or the environment', async () => {
  const path = await newFile()
  vi.stubEnv('PGQRS_DSN', `turso:${path}`)
  for (const target of [`file:${path}`, { dsn: `file:${path}` }, {}, undefined]) {
    const store = await connect(target)
    await store.admin.install()
    await store.close()
  }
})

it("takes the application's client and leaves it open", async () => {
  const client = createClient({ url: ':memory:' })
  onTestFinished(() => client.close())
  for (const target of [client, { client }]) {
    const store = await connect(target)
    await store.admin.install()
    await store.close()
  }
  const { rows } = await client.execute("select name from sqlite_master where name = 'pgqrs_messages'")
  expect(rows).toHaveLength(1)
})

it.each<[string, string | TursoOptions]>([
  ['an address of another kind', 'postgres://localhost/app'],
  ['no host', 'libsql://'],
  ['a directory that is not there', 'file:/nowhere/at/all/app.db'],
  ['an unknown option', { dsn: ':memory:', authTokn: 'secret' } as TursoOptions],
  ['a DSN beside a client', { dsn: ':memory:', client: createClient({ url: ':memory:' }) }],
  ['a replica of nothing', { dsn: ':memory:', syncUrl: 'libsql://host' }],
  ['a token with a line break', { dsn: 'http://127.0.0.1:1', authToken: 'secret\n' }],
  ['a token that is empty', { dsn: 'libsql://host?authToken=' }],
])('refuses %s, without showing a secret', async (_what, target) => {
  const error = await failureOf(connect(target))
  expect(error).toBeInstanceOf(ConfigError)
  expect(`${error.stack ?? ''} ${String(error.cause)}`).not.toContain('secret')
})

it('refuses what is no client of @libsql/client', async () => {
  const other = { execute: () => undefined }
  for (const target of [other, { client: other }, { client: null }]) {
    await expect(connect(target as never)).rejects.toThrow('client must be a client of @libsql/client')
  }
  await expect(connect(null as never)).rejects.toThrow('the options must be an object')
})

it('says where a DSN can be given', async () => {
  vi.stubEnv('PGQRS_DSN', '')
  vi.stubEnv('DATABASE_URL', '')
  await expect(connect()).rejects.toThrow('PGQRS_DSN')
})

it('finds its token in the option, the DSN, or the environment', async () => {
  const { httpUrl } = await newServer('the-token')
  const install = async (target: TursoOptions): Promise<void> => {
    const store = await connect(target)
    onTestFinished(() => store.close())
    await store.admin.install()
  }
  await install({ dsn: httpUrl, authToken: 'the-token' })
  await install({ dsn: `${httpUrl}?authToken=the-token` })
  vi.stubEnv('TURSO_AUTH_TOKEN', 'the-token')
  await install({ dsn: httpUrl })
  vi.stubEnv('TURSO_AUTH_TOKEN', 'another-token')
  await install({ dsn: httpUrl, authToken: 'the-token' })
  const error = await failureOf(install({ dsn: httpUrl }))
  expect(error).toBeInstanceOf(AuthenticationError)
  expect(`${error.stack ?? ''} ${String(error.cause)}`).not.toContain('another-token')
})
