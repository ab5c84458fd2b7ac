import { writeFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { open, project } from './project.js'

it('shows every setting and where it came from', async () => {
  project([])
  writeFileSync('pgqrs.yaml', 'maxCrashes: 3\nlease: 90s\n')
  vi.stubEnv('PGQRS_SCHEMA', 'jobs')
  expect(await json('config', '--dsn', 'postgres://app:secret@db.example.com/app?sslmode=require')).toEqual({
    dsn: { value: 'postgres://app:***@db.example.com/app?sslmode=require', source: '--dsn' },
    schema: { value: 'jobs', source: 'PGQRS_SCHEMA' },
    maxConnections: { value: 10, source: 'default' },
    connectionTimeoutMs: { value: 10_000, source: 'default' },
    leaseMs: { value: 90_000, source: 'pgqrs.yaml:2' },
    batchSize: { value: 10, source: 'default' },
    maxCrashes: { value: 3, source: 'pgqrs.yaml:1' },
    heartbeatIntervalMs: { value: 5000, source: 'default' },
    pollIntervalMs: { value: 1000, source: 'default' },
    sqliteWal: { value: true, source: 'default' },
  })
  const { stdout } = await pgqrs(['config'])
  expect(stdout).toMatch(/^SETTING +VALUE +FROM\ndsn +\(not set\) +default\nschema +jobs +PGQRS_SCHEMA\n/)
  expect(stdout).toMatch(/^lease +90000ms +pgqrs\.yaml:2$/m)
})

it('reads the file of --config and no other', async () => {
  project()
  writeFileSync('pgqrs.yaml', 'schema: elsewhere\nmaxCrashes: 1\n')
  writeFileSync('production.yaml', 'dsn: sqlite:production.db\n')
  expect(await json('config', '--config', 'production.yaml')).toMatchObject({
    dsn: { value: 'sqlite:production.db', source: 'production.yaml:1' },
    schema: { value: null, source: 'default' },
    maxCrashes: { value: 5, source: 'default' },
  })
  // SQLite refuses a schema, so this would fail if the driver looked at pgqrs.yaml again.
  expect(await json('install', '--config', 'production.yaml')).toMatchObject({
    target: 'sqlite production.db (from production.yaml:1)',
  })
})

it('says what is wrong in a file, and where', async () => {
  project()
  const wrong: [string, string][] = [
    [
      'dsn: sqlite:app.db\nmaxCrahses: 3\n',
      'pgqrs.yaml:2: unknown key "maxCrahses". Did you mean "maxCrashes"?',
    ],
    ['dsn: "sqlite:app.db\nlease: 30s\n', 'pgqrs.yaml:'],
    ['dsn: sqlite:app.db\nlease: -1s\n', 'pgqrs.yaml:2: lease must be a duration'],
  ]
  for (const [text, said] of wrong) {
    writeFileSync('pgqrs.yaml', text)
    for (const command of ['config', 'status']) {
      const ended = await pgqrs([command])
      expect(ended).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(`[INVALID_CONFIG] ${said}`),
      })
    }
  }
  expect(await pgqrs(['config', '--config', 'missing.yaml'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('missing.yaml cannot be read'),
  })
})

it('takes the DSN from standard input', async () => {
  project()
  expect(await pgqrs(['install', '--dsn', '-'], { input: 'sqlite:typed.db\nmore\n' })).toMatchObject({
    code: 0,
  })
  const store = await open('sqlite:typed.db')
  expect((await store.admin.verify()).ok).toBe(true)
  expect(await pgqrs(['install', '--dsn', '-'])).toMatchObject({
    code: 2,
    stderr: 'error [INVALID_ARGUMENT] --dsn - reads the DSN from standard input, and nothing was there.\n',
  })
})

it('says where a database could be named when none is', async () => {
  project()
  expect(await pgqrs(['status'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error \[INVALID_CONFIG\] No database is configured: .*PGQRS_DSN/),
  })
})
