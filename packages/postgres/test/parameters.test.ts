import { inspect } from 'node:util'
import postgres from 'postgres'
import { describe as group, expect, it } from 'vitest'
import { connect } from '../src/connect.js'
import { describe, parametersOfClient, parametersOfDsn } from '../src/parameters.js'

group('a DSN', () => {
  it('is read as postgres.js reads it', () => {
    const parameters = parametersOfDsn(
      'postgresql://me:p%40ss@db.local:6543/my%20app?sslmode=require&application_name=x',
      true,
    )
    expect(parameters).toMatchObject({
      addresses: [{ host: 'db.local', port: 6543 }],
      user: 'me',
      password: 'p@ss',
      database: 'my app',
      ssl: 'require',
      prepare: true,
      client: { connection: { application_name: 'x' } },
    })
    expect(describe(parameters, 'jobs')).toBe('me@db.local:6543/my app, schema jobs')
  })

  it('may hold its parts as libpq has them', () => {
    const parameters = parametersOfDsn(
      'postgres:///?host=h&port=1234&user=u&password=p%26&dbname=d&sslmode=disable',
      true,
    )
    expect(parameters).toMatchObject({
      addresses: [{ host: 'h', port: 1234 }],
      user: 'u',
      password: 'p&',
      database: 'd',
      ssl: false,
    })
    expect(parametersOfDsn('postgres:///d?host=/run/pg', true).addresses).toEqual([
      { path: '/run/pg/.s.PGSQL.5432' },
    ])
  })

  it('may name several hosts', () => {
    const parameters = parametersOfDsn('postgres://u:p@one:1,two:2/d?target_session_attrs=read-write', true)
    expect(parameters.addresses).toEqual([
      { host: 'one', port: 1 },
      { host: 'two', port: 2 },
    ])
    expect(describe(parameters, undefined)).toBe('u@one:1,two:2/d')
  })

  it('may ask for TLS as libpq has it', () => {
    const ssl = (query: string): unknown => {
      const parameters = parametersOfDsn(`postgres://h/d?${query}`, true)
      expect(Object.keys(parameters.client.connection)).toEqual(['application_name'])
      return parameters.ssl
    }
    expect(ssl('sslmode=require&channel_binding=prefer')).toBe('require')
    expect(ssl('sslrootcert=system')).toBe('verify-full')
  })

  it('may turn prepared statements off, and nothing turns them on again', () => {
    expect(parametersOfDsn('postgres://h/d?prepare=false', true).prepare).toBe(false)
    expect(parametersOfDsn('postgres://h/d', false).prepare).toBe(false)
    expect(parametersOfClient(postgres({ prepare: false }), true).prepare).toBe(false)
    expect(parametersOfClient(postgres({}), false).prepare).toBe(false)
    expect(parametersOfClient(postgres({}), true).prepare).toBe(true)
  })

  const wrong: [string, RegExp][] = [
    ['', /dsn must be a text/],
    ['u:canary@h/db', /must begin with postgres:\/\//],
    ['mysql://u:canary@h/db', /must begin with postgres:\/\//],
    ['sqlite:canary.db', /must begin with postgres:\/\//],
    ['postgres://u:canary@h:port/db', /port in the DSN is not a number/],
    ['postgres://u:canary@h:99999/db', /port in the DSN is not a number/],
    ['postgres://u:can/ary@h/db', /@ or a # in the wrong place/],
    ['postgres://u:1/canary@h/db', /@ or a # in the wrong place/],
    ['postgres://u:can@ary@h/db', /@ or a # in the wrong place/],
    ['postgres://u:canary#x@h/db', /@ or a # in the wrong place/],
    ['postgres://u:1?canary@h/db', /@ or a # in the wrong place/],
    ['postgres://u:%canary@h/db', /begins no percent-encoding/],
    ['postgres://u:can ary@h/db', /space/],
    ['postgres://u:canary@h/db?port=x', /port in the DSN is not a number/],
    ['postgres://u:canary@/db', /cannot be read/],
    ['postgres://u:canary@h/db?sslmode=require&channel_binding=require', /Write sslmode=verify-full instead/],
    ['postgres://u:canary@h/db?sslmode=verify-full&sslrootcert=ca.pem', /NODE_EXTRA_CA_CERTS/],
    ['postgres://u:canary@h/db?sslcert=c.pem&sslkey=k.pem', /ssl: \{ cert, key \}/],
    ['postgres://u:canary@[::1/db', /cannot be read/],
    ['postgres://u:canary@h/db?target_session_attrs=any-canary', /cannot be read/],
  ]
  it.each(wrong)('%j is refused without being repeated', async (dsn, message) => {
    const error: unknown = await connect(dsn).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'INVALID_CONFIG', message: expect.stringMatching(message) })
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/canary|ary@|can@/)
    await expect(connect({ dsn: 'postgres://h/d', listenDsn: dsn || 'x' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    })
  })
})

it('the parts of a client are its own', () => {
  const sql = postgres({ host: 'h', port: 1, user: 'u', pass: 'p', database: 'd', ssl: { ca: 'x' } })
  expect(parametersOfClient(sql, true)).toMatchObject({
    addresses: [{ host: 'h', port: 1 }],
    user: 'u',
    password: 'p',
    database: 'd',
    ssl: { ca: 'x' },
  })
  expect(parametersOfClient(postgres({ path: '/run/x' }), true).addresses).toEqual([{ path: '/run/x' }])
})

it('what is no client of postgres.js is refused, not taken for options', async () => {
  const pool = { query: () => undefined, connect: () => undefined, options: {} }
  const lent = Object.assign(() => undefined, { unsafe: () => undefined })
  for (const target of [pool, lent, { client: pool }, { client: lent }, { client: null }]) {
    await expect(connect(target as never)).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining('client must be a client of postgres.js'),
    })
  }
  await expect(connect(null as never)).rejects.toThrow('the options must be an object')
})

it('unknown options are refused with the nearest known one', async () => {
  const options = { dsn: 'postgres://h/d', lisen: false }
  await expect(connect(options)).rejects.toThrow(/unknown option "lisen".*Did you mean "listen"/)
})

it('somebody must say where the database is', async () => {
  const { DATABASE_URL, PGQRS_DSN, ...rest } = process.env
  process.env = rest
  try {
    await expect(connect()).rejects.toThrow(/No database is configured: pass a DSN or a client, /)
  } finally {
    process.env = {
      ...rest,
      ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }),
      ...(PGQRS_DSN === undefined ? {} : { PGQRS_DSN }),
    }
  }
})
