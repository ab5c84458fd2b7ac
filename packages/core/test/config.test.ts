import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { configuredDsn } from '../src/config/configured-dsn.js'
import { resolveConfig } from '../src/config/resolve.js'
import type { ConfigInput } from '../src/config/settings.js'
import { ConfigError } from '../src/errors.js'

const started = process.cwd()
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgqrs-config-'))
  process.chdir(folder)
})
afterEach(() => {
  process.chdir(started)
  rmSync(folder, { recursive: true, force: true })
})

function fileWith(text: string, name = 'pgqrs.yaml'): string {
  writeFileSync(join(folder, name), text)
  return name
}

const everything: Required<ConfigInput> = {
  dsn: 'sqlite:a.db',
  schema: 'app',
  maxConnections: 3,
  connectionTimeout: '4s',
  lease: '50s',
  batchSize: 6,
  maxCrashes: 7,
  heartbeatInterval: '8s',
  pollInterval: '900ms',
  sqliteWal: false,
}

const settled = {
  dsn: 'sqlite:a.db',
  schema: 'app',
  maxConnections: 3,
  connectionTimeoutMs: 4000,
  leaseMs: 50_000,
  batchSize: 6,
  maxCrashes: 7,
  heartbeatMs: 8000,
  pollMs: 900,
  sqliteWal: false,
}

const environment = {
  PGQRS_DSN: 'sqlite:a.db',
  PGQRS_SCHEMA: 'app',
  PGQRS_MAX_CONNECTIONS: '3',
  PGQRS_CONNECTION_TIMEOUT: '4',
  PGQRS_DEFAULT_LOCK_TIME: '50',
  PGQRS_DEFAULT_BATCH_SIZE: '6',
  PGQRS_MAX_READ_CT: '7',
  PGQRS_HEARTBEAT_INTERVAL: '8',
  PGQRS_POLL_INTERVAL_MS: '900',
  PGQRS_SQLITE_USE_WAL: 'false',
}

const variableOf: Readonly<Record<keyof ConfigInput, keyof typeof environment>> = {
  dsn: 'PGQRS_DSN',
  schema: 'PGQRS_SCHEMA',
  maxConnections: 'PGQRS_MAX_CONNECTIONS',
  connectionTimeout: 'PGQRS_CONNECTION_TIMEOUT',
  lease: 'PGQRS_DEFAULT_LOCK_TIME',
  batchSize: 'PGQRS_DEFAULT_BATCH_SIZE',
  maxCrashes: 'PGQRS_MAX_READ_CT',
  heartbeatInterval: 'PGQRS_HEARTBEAT_INTERVAL',
  pollInterval: 'PGQRS_POLL_INTERVAL_MS',
  sqliteWal: 'PGQRS_SQLITE_USE_WAL',
}

const names = Object.keys(everything) as (keyof ConfigInput)[]
const sourcesAre = (source: string): object => Object.fromEntries(names.map((name) => [name, source]))

describe('a setting', () => {
  it('has a default', () => {
    const { config, sources } = resolveConfig({}, { env: {} })
    expect(config).toEqual({
      dsn: undefined,
      schema: undefined,
      maxConnections: 10,
      connectionTimeoutMs: 10_000,
      leaseMs: 30_000,
      batchSize: 10,
      maxCrashes: 5,
      heartbeatMs: 5000,
      pollMs: 1000,
      sqliteWal: true,
    })
    expect(sources).toEqual(sourcesAre('default'))
  })

  it('can come from an option, which is what counts first', () => {
    const file = fileWith('lease: 1s\nschema: other\n')
    const env = { PGQRS_DSN: 'sqlite:other.db', PGQRS_MAX_CONNECTIONS: '99', DATABASE_URL: 'sqlite:url.db' }
    expect(resolveConfig(everything, { env, file })).toEqual({
      config: settled,
      sources: sourcesAre('option'),
    })
  })

  it('can come from its environment variable, which counts before the file', () => {
    const file = fileWith(
      names.map((name) => `${name}: ${name === 'dsn' ? 'sqlite:other.db' : '1'}`).join('\n'),
    )
    const found = resolveConfig({}, { env: { ...environment, DATABASE_URL: 'sqlite:url.db' }, file })
    expect(found).toEqual({ config: settled, sources: variableOf })
  })

  it.each(names)('%s is read from its own variable and from no other', (name) => {
    const { sources } = resolveConfig({}, { env: { [variableOf[name]]: environment[variableOf[name]] } })
    expect(sources).toEqual({ ...sourcesAre('default'), [name]: variableOf[name] })
  })

  it('can come from the file, with the line it stands on', () => {
    const lines = names.map((name) => `${name}: ${String(everything[name])}`)
    const file = fileWith(['# settings', '', ...lines].join('\n'), 'other.yaml')
    const found = resolveConfig({}, { env: { DATABASE_URL: 'sqlite:url.db' }, file })
    expect(found.config).toEqual(settled)
    expect(found.sources).toEqual(Object.fromEntries(names.map((name, i) => [name, `other.yaml:${i + 3}`])))
  })

  it('is taken from pgqrs.yaml in the working directory when no file is named, and from nothing when there is none', () => {
    expect(resolveConfig({}, { env: {} }).config.schema).toBeUndefined()
    fileWith('schema: here\n')
    expect(resolveConfig({}, { env: {} })).toMatchObject({
      config: { schema: 'here' },
      sources: { schema: 'pgqrs.yaml:1' },
    })
    const named = fileWith('lease: 7s\n', 'named.yaml')
    expect(resolveConfig({}, { env: {}, file: named }).config).toMatchObject({
      schema: undefined,
      leaseMs: 7000,
    })
  })

  it('called dsn can come from DATABASE_URL, when nothing that says pgqrs has one', () => {
    const env = { DATABASE_URL: 'sqlite:url.db' }
    expect(resolveConfig({}, { env })).toMatchObject({
      config: { dsn: 'sqlite:url.db' },
      sources: { dsn: 'DATABASE_URL' },
    })
    const file = fileWith('dsn: sqlite:file.db\n')
    expect(resolveConfig({}, { env, file }).config.dsn).toBe('sqlite:file.db')
    expect(resolveConfig({}, { env: { ...env, PGQRS_DSN: 'sqlite:env.db' }, file }).config.dsn).toBe(
      'sqlite:env.db',
    )
    expect(resolveConfig({ dsn: 'sqlite:o.db' }, { env, file }).config.dsn).toBe('sqlite:o.db')
  })

  it('is as good as not given when its variable is empty or its option undefined', () => {
    const env = { PGQRS_DSN: '', PGQRS_SCHEMA: '', PGQRS_DEFAULT_LOCK_TIME: '', DATABASE_URL: '' }
    const options = { dsn: undefined, lease: undefined } as unknown as ConfigInput
    expect(resolveConfig(options, { env }).sources).toEqual(sourcesAre('default'))
  })

  it('is read from the environment of the process when no other is given', () => {
    vi.stubEnv('PGQRS_SCHEMA', 'from_process')
    onTestFinished(() => {
      vi.unstubAllEnvs()
    })
    expect(resolveConfig().config.schema).toBe('from_process')
  })

  it('is in seconds in the variables of the original, or has a unit', () => {
    const lease = (text: string): number =>
      resolveConfig({}, { env: { PGQRS_DEFAULT_LOCK_TIME: text } }).config.leaseMs
    expect([lease('30'), lease('0.5'), lease('2m')]).toEqual([30_000, 500, 120_000])
    const poll = (text: string): number =>
      resolveConfig({}, { env: { PGQRS_POLL_INTERVAL_MS: text } }).config.pollMs
    expect([poll('30'), poll('2s')]).toEqual([30, 2000])
  })

  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ])('that is yes or no may be %o', (text, value) => {
    expect(resolveConfig({}, { env: { PGQRS_SQLITE_USE_WAL: text } }).config.sqliteWal).toBe(value)
  })
})

describe('a setting that cannot be right', () => {
  const wrong: readonly (readonly [name: keyof ConfigInput, text: string])[] = [
    ['schema', 'App'],
    ['schema', '"; drop schema public; --'],
    ['maxConnections', '0'],
    ['maxConnections', '1001'],
    ['maxConnections', 'ten'],
    ['maxConnections', '1.5'],
    ['connectionTimeout', '-5'],
    ['connectionTimeout', '0'],
    ['connectionTimeout', 'soon'],
    ['lease', '0.05'],
    ['lease', '5 parsecs'],
    ['batchSize', '-1'],
    ['batchSize', '10001'],
    ['maxCrashes', '-1'],
    ['maxCrashes', 'NaN'],
    ['heartbeatInterval', '0'],
    ['pollInterval', 'Infinity'],
    ['sqliteWal', 'maybe'],
  ]

  it.each(wrong)('%s: %s is refused with the variable it came from and what it was', (name, text) => {
    const variable = variableOf[name]
    const start = new RegExp(`^${variable}: .*${name === 'schema' ? 'schema name' : name}`)
    expect(() => resolveConfig({}, { env: { [variable]: text } })).toThrow(ConfigError)
    expect(() => resolveConfig({}, { env: { [variable]: text } })).toThrow(start)
  })

  it('is refused with the file and line it came from', () => {
    const file = fileWith('dsn: sqlite:a.db\n\nlease: 5 parsecs # far\nbatchSize: 5\n')
    expect(() => resolveConfig({}, { env: {}, file })).toThrow(/^pgqrs\.yaml:3: lease must be .*"5 parsecs"/)
  })

  it.each([
    'dsn:\n',
    'dsn: 5\n',
    'dsn: [a]\n',
    'dsn: !!binary aGk=\n',
    'schema:\n',
    'lease: {a: 1}\n',
    'batchSize: "5"\n',
    'sqliteWal: yes\n',
  ])('is refused when it is of the wrong kind: %s', (text) => {
    const file = fileWith(`# settings\n${text}`)
    expect(() => resolveConfig({}, { env: {}, file })).toThrow(/^pgqrs\.yaml:2: /)
  })

  it('is refused as an option', () => {
    expect(() => resolveConfig({ lease: Number.NaN }, { env: {} })).toThrow(
      /^option: lease must be .*Got NaN/,
    )
    expect(() => resolveConfig({ dsn: '' }, { env: {} })).toThrow(/^option: dsn must be/)
    expect(() => resolveConfig({ dsn: 5 as unknown as string }, { env: {} })).toThrow(/^option: dsn must be/)
  })
})

describe('the configured DSN', () => {
  it('is that of the configuration', () => {
    expect(configuredDsn(resolveConfig({ dsn: 'sqlite:a.db' }, { env: {} }).config)).toBe('sqlite:a.db')
  })

  it('is missed with all the places where it could be', () => {
    const { config } = resolveConfig({}, { env: {} })
    expect(() => configuredDsn(config, 'a DSN such as sqlite:app.db')).toThrow(
      new ConfigError(
        'No database is configured: pass a DSN such as sqlite:app.db, set PGQRS_DSN, or write "dsn: …" into pgqrs.yaml.',
      ),
    )
  })
})
