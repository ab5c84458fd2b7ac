import { randomBytes } from 'node:crypto'
import { defineWorkflow, type VerifyReport } from '@pgqrs/core'
import postgres, { type Sql } from 'postgres'
import { beforeEach, expect, inject, it, onTestFinished, vi } from 'vitest'
import type {} from '@pgqrs/test-database/vitest-global'
import { json, pgqrs } from './command-line.js'
import { open, project } from './project.js'

let admin: Sql
let dsn: string

/** The test's database under another user. */
function as(user: string, password: string): string {
  const url = new URL(dsn)
  url.username = user
  url.password = password
  return url.href
}

/** A login without any rights that is gone when the test ends. */
async function login(): Promise<{ name: string; password: string }> {
  const name = `pgqrs_cli_${randomBytes(6).toString('hex')}`
  const password = randomBytes(8).toString('hex')
  await admin.unsafe(`create role ${name} login password '${password}'`)
  onTestFinished(async () => {
    await admin.unsafe(`drop role ${name}`)
  })
  return { name, password }
}

beforeEach(async () => {
  admin = postgres(inject('postgresDsn'), { max: 1, onnotice: () => undefined })
  const name = `pgqrs_cli_${randomBytes(6).toString('hex')}`
  await admin.unsafe(`create database ${name} template template0`)
  const url = new URL(inject('postgresDsn'))
  url.pathname = `/${name}`
  dsn = url.href
  onTestFinished(async () => {
    await admin.unsafe(`drop database if exists ${name} with (force)`)
    await admin.end({ timeout: 1 })
  })
  project()
  vi.stubEnv('PGQRS_DSN', dsn)
})

it('installs, operates and uninstalls', async () => {
  expect(await json('install')).toMatchObject({ from: 0 })
  expect(await json<VerifyReport>('verify')).toMatchObject({ ok: true })
  await json('queue', 'create', 'emails')
  const { id } = await json<{ id: string }>('message', 'enqueue', 'emails', '{"to":"a"}', '--priority', '2')
  expect(await json('message', 'show', id)).toMatchObject({ payload: { to: 'a' }, priority: 2 })
  const { stdout } = await pgqrs(['status'])
  expect(stdout).toMatch(/^postgres \S+:\d+\/pgqrs_cli_\w+ \(from PGQRS_DSN\), schema version \d+\n/)
  expect(await json('queue', 'purge', 'emails', '--yes')).toMatchObject({ removed: 1 })
  expect(await json('uninstall', '--yes')).toMatchObject({ uninstalled: true })
  expect(await pgqrs(['verify'])).toMatchObject({ code: 1 })
})

it('prints the result of a run that finishes meanwhile', async () => {
  await pgqrs(['install'])
  const store = await open(dsn)
  const double = defineWorkflow('double', async (run, n: number) => run.step('twice', () => n * 2))
  const { id } = await store.trigger(double, 21)
  const waiting = json('run', 'result', id, '--timeout', '20s')
  const worker = store.worker([double])
  await worker.start()
  onTestFinished(() => worker.stop())
  expect(await waiting).toMatchObject({ status: 'success', output: 42 })
  expect(await json('run', 'show', id)).toMatchObject({ steps: [{ name: 'twice', output: 42 }] })
})

it('keeps to the schema it is given, and says what to run when there is none', async () => {
  const missing = await pgqrs(['install', '--schema', 'jobs'])
  expect(missing).toMatchObject({ code: 3, stdout: '' })
  expect(missing.stderr).toMatch(/^error \[SCHEMA_MISSING\] .*create schema.*jobs.*\n$/i)
  const sql = postgres(dsn, { max: 1, onnotice: () => undefined })
  await sql`create schema jobs`
  expect(await json('install', '--schema', 'jobs')).toMatchObject({ from: 0 })
  expect(await sql`select distinct schemaname from pg_tables where tablename like 'pgqrs%'`).toMatchObject([
    { schemaname: 'jobs' },
  ])
  await sql.end()
  expect(await pgqrs(['queue', 'list'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('[NOT_INSTALLED]'),
  })
  expect(await pgqrs(['install', '--schema', 'Jobs"; drop'])).toMatchObject({ code: 2 })
})

it('ends with 3 when the password is wrong, and shows it nowhere', async () => {
  const { name } = await login()
  const { code, stdout, stderr } = await pgqrs(['status', '--dsn', as(name, 'wrong-secret')])
  expect(stderr).toMatch(/^error \[AUTHENTICATION_FAILED\] .*refuses the user or the password\.\n$/)
  expect(stderr).toContain(`] ${name}@`)
  expect(stdout + stderr).not.toContain('wrong-secret')
  expect(code).toBe(3)
})

it('ends with 3 when a permission is missing, and says the GRANT', async () => {
  const { name, password } = await login()
  const { code, stderr } = await pgqrs(['install', '--dsn', as(name, password)])
  expect(stderr).toMatch(new RegExp(`^error \\[PERMISSION_DENIED\\] .*grant .* to .*${name}.*\\n$`, 'i'))
  expect(code).toBe(3)
})
