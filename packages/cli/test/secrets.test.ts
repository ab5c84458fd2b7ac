import { createServer } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { maskDsn, maskSecrets } from '../src/mask.js'
import { pgqrs, type Ended } from './command-line.js'
import { project } from './project.js'

it.each([
  ['postgres://app:s3cret@db/app', 'postgres://app:***@db/app'],
  ['postgres://app@db/app?sslmode=require', 'postgres://app@db/app?sslmode=require'],
  ['postgres://app:p@ss/w:rd?#@db/app', 'postgres://app:***@db/app'],
  [
    'postgres://db/app?user=app&password=s3cret&sslmode=require',
    'postgres://db/app?user=app&password=***&sslmode=require',
  ],
  ['libsql://app.turso.io?authToken=s3cret', 'libsql://app.turso.io?authToken=***'],
  ['turso:libsql://app:s3cret@app.turso.io', 'turso:libsql://app:***@app.turso.io'],
  ['host=db password=s3cret', 'host=db password=***'],
  ['sqlite:app.db', 'sqlite:app.db'],
  [':memory:', ':memory:'],
  ['', ''],
])('masks %s', (dsn, masked) => {
  expect(maskDsn(dsn)).toBe(masked)
})

it('masks every DSN of a text and nothing else', () => {
  expect(
    maskSecrets(
      "from 'postgres://a:s3cret@x/y' to libsql://h?authToken=s3cret and see https://example.com/a?b",
    ),
  ).toBe("from 'postgres://a:***@x/y' to libsql://h?authToken=*** and see https://example.com/a?b")
})

const secret = 's3cret'

function expectNoSecret({ stdout, stderr }: Ended): void {
  expect(stdout + stderr).not.toContain(secret)
}

const careless = [
  ['status', '--dsn', `postgres://app:${secret}@127.0.0.1:1/app`],
  ['status', '--dsn', `postgres://app:${secret}@127.0.0.1:99999/app`],
  ['status', '--dsn', `postgers://app:${secret}@127.0.0.1:1/app`],
  ['status', '--dsn', `//app:${secret}@127.0.0.1:1/app`],
  ['status', `--dns=postgres://app:${secret}@127.0.0.1:1/app`],
  ['status', `postgres://app:${secret}@127.0.0.1:1/app`],
  [`postgres://app:${secret}@127.0.0.1:1/app`],
  ['config', '--dsn', `libsql://db?authToken=${secret}`],
  ['uninstall', '--dsn', `postgres://app:${secret}@127.0.0.1:1/app`],
]

it.each(careless.map((words) => ({ words })))('never shows a password: $words', async ({ words }) => {
  project()
  vi.stubEnv('PGQRS_CONNECTION_TIMEOUT', '1')
  vi.stubEnv('PGQRS_DEBUG', '1')
  for (const more of [[], ['--json']]) expectNoSecret(await pgqrs([...words, ...more]))
})

it('warns on a terminal of a secret in --dsn, and only then', async () => {
  project()
  vi.stubEnv('PGQRS_CONNECTION_TIMEOUT', '1')
  const dsn = `postgres://app:${secret}@127.0.0.1:1/app`
  const warned = await pgqrs(['status', '--dsn', dsn], { columns: 100 })
  expect(warned.stderr).toMatch(/^warning: others can read --dsn/)
  expectNoSecret(warned)
  vi.stubEnv('PGQRS_DSN', dsn)
  expect((await pgqrs(['status'], { columns: 100 })).stderr).toMatch(/^error/)
})

it('ends with 3 when nothing or no database answers', async () => {
  project()
  vi.stubEnv('PGQRS_CONNECTION_TIMEOUT', '1')
  const refused = await pgqrs(['status', '--dsn', 'postgres://app@127.0.0.1:1/app'])
  expect(refused).toMatchObject({ code: 3, stdout: '' })
  expect(refused.stderr).toMatch(/^error \[CONNECTION_FAILED\] .*127\.0\.0\.1:1.*\n$/)
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void silent.close())
  const { port } = silent.address() as { port: number }
  const unanswered = await pgqrs(['status', '--dsn', `postgres://app@127.0.0.1:${port}/app`, '--json'])
  expect(unanswered.code).toBe(3)
  expect(JSON.parse(unanswered.stderr)).toEqual({
    error: { code: 'CONNECTION_FAILED', message: expect.stringContaining(`127.0.0.1:${port}`) },
  })
})

it('shows a stack only with PGQRS_DEBUG=1', async () => {
  project()
  const plain = await pgqrs(['queue', 'list', '--dsn', ':memory:'])
  expect(plain.stderr).toMatch(/^error \[NOT_INSTALLED\] [^\n]+\n$/)
  vi.stubEnv('PGQRS_DEBUG', '1')
  expect((await pgqrs(['queue', 'list', '--dsn', ':memory:'])).stderr).toMatch(
    /\n {4}at .*\nCaused by: .*no such table/s,
  )
})
