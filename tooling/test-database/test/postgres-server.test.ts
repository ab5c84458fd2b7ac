import { existsSync } from 'node:fs'
import postgres from 'postgres'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { startPostgres, type PostgresOptions, type PostgresServer } from '../src/index.js'
import { isRunning, tracesOf } from './running.js'

const started: PostgresServer[] = []
async function start(options?: PostgresOptions): Promise<PostgresServer> {
  const server = await startPostgres(options)
  started.push(server)
  return server
}

async function query<T extends object>(dsn: string, text: string): Promise<T[]> {
  const sql = postgres(dsn, { max: 1, onnotice: () => {} })
  try {
    return [...(await sql.unsafe<T[]>(text))]
  } finally {
    await sql.end()
  }
}

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(started.splice(0).map((server) => server.stop()))
})

describe('an embedded server', () => {
  it('leaves no process and no directory when it is stopped, even twice', async () => {
    const server = await start({ fresh: true })
    const { postmaster, directory } = await tracesOf(server.dsn)
    expect(server).toMatchObject({ source: 'embedded', major: 18 })
    expect(isRunning(postmaster)).toBe(true)
    await server.stop()
    expect(isRunning(postmaster)).toBe(false)
    expect(existsSync(directory)).toBe(false)
    await server.stop()
  })

  it('listens on 127.0.0.1 only, asks for a password, and has no socket file', async () => {
    const { dsn } = await start({ fresh: true })
    const [row] = await query<object>(
      dsn,
      "select current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets",
    )
    expect(row).toEqual({ addresses: '127.0.0.1', sockets: '' })
    const wrong = new URL(dsn)
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  })

  it('takes settings, with fsync off unless it is asked for', async () => {
    const fsync = "select current_setting('fsync') as fsync, current_setting('work_mem') as memory"
    const plain = await start({ fresh: true, settings: { work_mem: '5MB' } })
    expect(await query(plain.dsn, fsync)).toEqual([{ fsync: 'off', memory: '5MB' }])
    vi.stubEnv('PGQRS_TEST_FSYNC', 'on')
    const safe = await start({ fresh: true })
    expect(await query(safe.dsn, fsync)).toEqual([{ fsync: 'on', memory: '4MB' }])
  })

  it('comes as version 15, by option and by environment', async () => {
    expect((await start({ fresh: true, version: '15' })).major).toBe(15)
    vi.stubEnv('PGQRS_TEST_POSTGRES_VERSION', '15')
    expect((await start({ fresh: true })).major).toBe(15)
    vi.stubEnv('PGQRS_TEST_POSTGRES_VERSION', '9')
    await expect(startPostgres({ fresh: true })).rejects.toThrow(/PGQRS_TEST_POSTGRES_VERSION is 9/)
  })

  it.each(['fast', 'immediate'] as const)(
    'restarts (%s) at the same address with what was committed',
    async (mode) => {
      const server = await start({ fresh: true })
      await query(server.dsn, 'create table t as select 1 as v')
      const before = await tracesOf(server.dsn)
      await server.restart?.(mode)
      const after = await tracesOf(server.dsn)
      expect(after.directory).toBe(before.directory)
      expect(after.postmaster).not.toBe(before.postmaster)
      expect(await query(server.dsn, 'select v from t')).toEqual([{ v: 1 }])
      await server.stop()
      expect(isRunning(after.postmaster)).toBe(false)
    },
  )

  it('fails over to a promoted standby at the same address, with everything that was acknowledged', async () => {
    const server = await start({ fresh: true })
    await query(server.dsn, 'create table t as select 1 as v')
    const standby = await server.replicate?.()
    await query(server.dsn, 'insert into t values (2)')
    await standby?.failOver()
    expect(await query(server.dsn, 'select v from t order by v')).toEqual([{ v: 1 }, { v: 2 }])
    const timeline = 'select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline'
    expect(await query(server.dsn, timeline)).toEqual([{ timeline: '00000002' }])
    // It waits for no standby of its own.
    await query(server.dsn, 'insert into t values (3)')
  })

  it('fails over to a standby that was cut off: it has what came before, and nothing that came later', async () => {
    const server = await start({ fresh: true })
    await query(server.dsn, 'create table t as select 1 as v')
    for (const round of [1, 2]) {
      const standby = await server.replicate?.('asynchronously')
      await query(server.dsn, `insert into t values (${round}0)`)
      await standby?.cutOff()
      await query(server.dsn, 'insert into t values (99)')
      await standby?.failOver()
    }
    expect(await query(server.dsn, 'select v from t order by v')).toEqual([{ v: 1 }, { v: 10 }, { v: 20 }])
  })

  it('shows its log when it does not start, and leaves nothing', async () => {
    const failing = startPostgres({ fresh: true, settings: { shared_buffers: 'plenty' } })
    await expect(failing).rejects.toThrow(/invalid value for parameter "shared_buffers": "plenty"/)
  })
})

describe('databases', () => {
  it('are created empty and dropped with their connections', async () => {
    const server = await start({ fresh: true })
    const one = await server.createDatabase()
    const two = await server.createDatabase('Two-in_1')
    await query(one, 'create table only_here (a int)')
    await expect(query(two, 'select * from only_here')).rejects.toMatchObject({ code: '42P01' })
    const [name] = await query<{ name: string }>(two, 'select current_database() as name')
    expect(name?.name).toBe('Two-in_1')
    await expect(server.createDatabase('a"b')).rejects.toThrow(RangeError)
    const held = postgres(one, { max: 1 })
    await held`select 1`
    await server.dropDatabase(one)
    await server.dropDatabase(one)
    await held.end()
    await expect(query(one, 'select 1')).rejects.toMatchObject({ code: '3D000' })
  })

  it('on a server of PGQRS_TEST_DSN are dropped on stop, and the server stays', async () => {
    const own = await start({ fresh: true })
    vi.stubEnv('PGQRS_TEST_DSN', own.dsn)
    const found = await start()
    expect(found).toMatchObject({ source: 'env', dsn: own.dsn, major: 18 })
    expect(found.restart).toBeUndefined()
    const created = await found.createDatabase()
    await found.stop()
    await expect(query(created, 'select 1')).rejects.toMatchObject({ code: '3D000' })
    expect(await query(own.dsn, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('of another version than asked for, or that would need other settings, are not used', async () => {
    vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock')
    const own = await start({ fresh: true })
    vi.stubEnv('PGQRS_TEST_DSN', own.dsn)
    expect(await start({ version: '15' })).toMatchObject({ source: 'embedded', major: 15 })
    expect(await start({ settings: { work_mem: '5MB' } })).toMatchObject({ source: 'embedded', major: 18 })
  })
})
