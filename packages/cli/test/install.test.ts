import { readdirSync, readFileSync } from 'node:fs'
import { createClient } from '@libsql/client'
import { expect, it, vi } from 'vitest'
import { json, pgqrs } from './command-line.js'
import { installedProject, project } from './project.js'

it('installs, and does nothing the second time', async () => {
  project()
  vi.stubEnv('PGQRS_DSN', 'sqlite:app.db')
  expect(await json('install')).toEqual({
    from: 0,
    to: expect.any(Number),
    applied: expect.arrayContaining([expect.any(String)]),
    restored: [],
    target: 'sqlite app.db (from PGQRS_DSN)',
  })
  const { stdout, code } = await pgqrs(['install'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Nothing to do: sqlite app\.db \(from PGQRS_DSN\) has schema version \d+\.\n$/)
})

it('verifies with 0 when nothing differs', async () => {
  await installedProject()
  const { code, stdout } = await pgqrs(['verify'])
  expect(stdout).toMatch(/^ok: .*nothing differs\.\n$/)
  expect(code).toBe(0)
  expect(await json('verify')).toMatchObject({ ok: true, differences: [] })
})

it('verifies with 1 and a line for each difference', async () => {
  await installedProject()
  const db = createClient({ url: 'file:app.db' })
  await db.execute('alter table pgqrs_messages add column "evil\n\u001b[31m" text')
  await db.execute('alter table pgqrs_queues add column more text')
  db.close()
  const { code, stdout, stderr } = await pgqrs(['verify'])
  expect(code).toBe(1)
  expect(stderr).toBe('')
  expect(stdout.trimEnd().split('\n').sort()).toEqual([
    'column pgqrs_messages.evil\\n\\x1b[31m is not known to this version',
    'column pgqrs_queues.more is not known to this version',
  ])
  const asJson = await pgqrs(['verify', '--json'])
  expect(asJson.code).toBe(1)
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    ok: false,
    differences: [expect.any(String), expect.any(String)],
  })
})

it('verifies with 1 when nothing is installed', async () => {
  project()
  expect(await pgqrs(['verify', '--dsn', ':memory:'])).toEqual({
    code: 1,
    stdout: 'pgqrs is not installed: run `npx pgqrs install`\n',
    stderr: '',
  })
})

it('says with 3 that nothing is installed, and how to install', async () => {
  project()
  for (const args of [
    ['status'],
    ['queue', 'list'],
    ['message', 'list'],
    ['worker', 'list'],
    ['run', 'list'],
  ]) {
    expect(await pgqrs([...args, '--dsn', ':memory:'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/^error \[NOT_INSTALLED\] .*npx pgqrs install.*\n$/),
    })
  }
})

const schemes = [
  ['sqlite:tpyo.db', 'There is no SQLite file "tpyo.db".'],
  ['turso:tpyo.db', 'There is no database file "tpyo.db".'],
  ['file:tpyo.db', 'There is no database file "tpyo.db".'],
] as const

it.each(schemes)('makes no file of a wrong path: %s', async (dsn, said) => {
  project()
  const id = '01900000-0000-7000-8000-000000000000'
  const commands = [
    ['verify'],
    ['uninstall', '--yes'],
    ['status'],
    ['queue', 'list'],
    ['queue', 'create', 'emails'],
    ['message', 'enqueue', 'emails', '{}'],
    ['dead', 'replay', id],
    ['worker', 'list'],
    ['run', 'show', id],
  ]
  for (const args of commands) {
    const { code, stdout, stderr } = await pgqrs([...args, '--dsn', dsn])
    expect(stderr).toBe(
      `error [INVALID_CONFIG] ${said} Correct the DSN, or make the file with \`npx pgqrs install\`.\n`,
    )
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(readdirSync('.')).toEqual(['node_modules'])
  }
  expect((await pgqrs(['install', '--dsn', dsn])).code).toBe(0)
  expect((await pgqrs(['verify', '--dsn', dsn])).code).toBe(0)
})

it('uninstalls only with --yes, and says from where', async () => {
  const store = await installedProject()
  const refused = await pgqrs(['uninstall'])
  expect(refused.code).toBe(2)
  expect(refused.stderr).toBe(
    'Target: sqlite app.db (from PGQRS_DSN)\n' +
      'error [CONFIRMATION_REQUIRED] This would drop every table of pgqrs with everything in it, ' +
      'and there is no terminal to ask on. Repeat it with --yes to do it.\n',
  )
  expect((await store.admin.verify()).ok).toBe(true)
  expect(await json('uninstall', '--yes')).toMatchObject({ uninstalled: true })
  expect((await store.admin.verify()).version).toBe(0)
})

it('shows its version', async () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(await pgqrs(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
})
