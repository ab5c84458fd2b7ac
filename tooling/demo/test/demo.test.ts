import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect as connectPostgres } from '@pgqrs/postgres'
import { eventually, spawnChild, type ChildHandle } from '@pgqrs/test-database'
import type {} from '@pgqrs/test-database/vitest-global'
import BetterSqlite3 from 'better-sqlite3'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

let home = ''
let directory = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'demo-test-'))
  directory = join(home, 'docs')
  mkdirSync(join(directory, 'guides'), { recursive: true })
  for (const name of ['a.md', 'b.md', 'c.md', 'guides/d.md', 'guides/e.md', 'guides/empty.md']) {
    writeFileSync(join(directory, name), name === 'guides/empty.md' ? '' : randomBytes(2000))
  }
})
afterEach(() => {
  rmSync(home, { recursive: true, force: true })
})

/** Starts the demo with a temporary folder of its own; what it leaves there can be seen. */
function start(...args: string[]): Promise<ChildHandle> {
  return spawnChild(main, ['--no-color', ...args], { env: { TMPDIR: home } })
}

async function printed(child: ChildHandle): Promise<string> {
  let text = ''
  for await (const line of child.lines) text += `${line}\n`
  return text
}

function leftFolders(): string[] {
  return readdirSync(home).filter((name) => name.startsWith('pgqrs-demo-'))
}

/** Ids of the worker processes that were announced. */
function workersIn(text: string): number[] {
  return [...text.matchAll(/worker (\d+) +process started/g)].map(([, pid]) => Number(pid))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Waits until a worker is at work, and returns its id. */
async function workingWorker(child: ChildHandle): Promise<number> {
  const line = await child.waitFor((text) => /worker \d+ +✓ list_files/.test(text), 20_000)
  return Number(/worker (\d+)/.exec(line)?.[1])
}

/** What every good run of these six files prints. */
function expectStory(text: string): void {
  const [killed, successor, ...others] = workersIn(text)
  expect(others).toEqual([])
  expect(text).toContain(`kill -9 ${killed}\n`)
  expect(text).toContain('7 steps recorded, 4 running:')
  expect(text).toMatch(new RegExp(`worker ${successor} +took over: the lease of ${killed} has lapsed`))
  expect(text).toMatch(new RegExp(`worker ${successor} +… replayed 7 steps`))
  expect(text).toMatch(new RegExp(`worker ${successor} +… replayed 16 steps`))
  expect(text).toMatch(new RegExp(`worker ${successor} +finished the run`))
  const checks = text.split('\n').filter((line) => /^ {2}[✓✗] /.test(line))
  expect(checks.map((line) => line.slice(2).replace(/ {2,}.*/, ''))).toEqual([
    '✓ 7 steps recorded before the kill',
    '✓ 4 steps running at the kill',
    '✓ 5 steps begun after the kill',
    '✓ 17 checkpoints of the run',
    '✓ 1 row in demo_archives',
    '✓ 1 archive on disk',
    '✓ 1 notification in its queue',
    '✓ 1 result of the run',
  ])
  expect(checks[0]).toContain(`each body ran once, in ${killed}`)
  expect(checks[1]).toContain(`each body ran once more, in ${successor}`)
  expect(checks[2]).toContain(`each body ran once, in ${successor}`)
  expect(text).toContain('All 8 checks hold')
}

describe('the demo on SQLite', () => {
  it(
    'survives the kill, proves it, and keeps its folder when it is asked to',
    { timeout: 60_000 },
    async () => {
      const child = await start('--dir', directory, '--keep')
      const text = await printed(child)
      expectStory(text)
      expect(await child.exited).toEqual({ code: 0, signal: null })
      expect(workersIn(text).filter(isRunning)).toEqual([])
      const [folder] = leftFolders()
      expect(text).toContain(`Kept in ${join(home, folder ?? '')}`)
      const db = new BetterSqlite3(join(home, folder ?? '', 'demo.db'), { readonly: true })
      expect(db.prepare('select count(*) as n from demo_archives').get()).toEqual({ n: 1 })
      expect(db.prepare("select status from pgqrs_messages where queue = 'archive_files'").all()).toEqual([
        { status: 'success' },
      ])
      db.close()
      expect(readdirSync(join(home, folder ?? '', 'archives'))).toEqual(['archive.zip'])
    },
  )

  it('exits with 1 when the run fails', { timeout: 60_000 }, async () => {
    const child = await start('--dir', directory)
    await workingWorker(child)
    rmSync(join(directory, 'guides/empty.md'))
    const text = await printed(child)
    expect(text).toMatch(/✗ Run .* failed: .*ENOENT/)
    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(leftFolders()).toEqual([])
  })

  it('leaves no process and no folder after Ctrl-C', { timeout: 60_000 }, async () => {
    const child = await start('--dir', directory)
    const worker = await workingWorker(child)
    // A terminal sends it to every process in it.
    process.kill(worker, 'SIGINT')
    child.kill('SIGINT')
    expect(await child.exited).toEqual({ code: 130, signal: null })
    expect(isRunning(worker)).toBe(false)
    expect(leftFolders()).toEqual([])
  })

  it('leaves no process when it is killed itself', { timeout: 60_000 }, async () => {
    const child = await start('--dir', directory)
    const worker = await workingWorker(child)
    child.kill('SIGKILL')
    await child.exited
    await eventually('the worker to end', () => !isRunning(worker))
  })
})

describe('the demo on Postgres', () => {
  let dsn = ''
  let server: postgres.Sql
  beforeEach(async () => {
    const name = `pgqrs_demo_${randomBytes(6).toString('hex')}`
    server = postgres(inject('postgresDsn'), { max: 1, onnotice: () => undefined })
    await server.unsafe(`create database ${name} template template0`)
    const url = new URL(inject('postgresDsn'))
    url.pathname = `/${name}`
    dsn = url.href
    return async () => {
      await server.unsafe(`drop database ${name} with (force)`)
      await server.end({ timeout: 1 })
    }
  })

  async function queues(): Promise<string[]> {
    const store = await connectPostgres(dsn)
    const names = (await store.admin.queues.list()).map((queue) => queue.name)
    await store.close()
    return names
  }

  it(
    'survives the kill, twice on the same database, and never shows the password',
    { timeout: 90_000 },
    async () => {
      for (let round = 1; round <= 2; round++) {
        const child = await start('--dir', directory, '--dsn', dsn)
        const text = await printed(child)
        expectStory(text)
        expect(text).not.toContain(new URL(dsn).password || dsn)
        expect(await child.exited).toEqual({ code: 0, signal: null })
      }
      expect(await queues()).toEqual([])
      const sql = postgres(dsn, { max: 1 })
      const rows =
        await sql`select count(distinct run_id)::int as runs, count(*)::int as rows from demo_archives`
      expect([...rows]).toEqual([{ runs: 2, rows: 2 }])
      await sql.end()
      expect(leftFolders()).toEqual([])
    },
  )

  it('leaves no run behind when it is interrupted after the kill', { timeout: 60_000 }, async () => {
    const child = await start('--dir', directory, '--dsn', dsn)
    await child.waitFor((line) => line.includes('kill -9'), 20_000)
    child.kill('SIGINT')
    const text = await printed(child)
    expect(await child.exited).toEqual({ code: 130, signal: null })
    expect(workersIn(text).filter(isRunning)).toEqual([])
    expect(await queues()).toEqual([])
    expect(leftFolders()).toEqual([])
  })

  it('says what is wrong with a database that nobody answers at', { timeout: 60_000 }, async () => {
    const child = await start('--dir', directory, '--dsn', 'postgres://me:secret-word@127.0.0.1:1/app')
    const text = await printed(child)
    expect(text).toContain('✗ ')
    expect(text).not.toContain('secret-word')
    expect(text).not.toContain('    at ')
    expect(await child.exited).toEqual({ code: 1, signal: null })
    expect(leftFolders()).toEqual([])
  })
})
