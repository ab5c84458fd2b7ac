import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import postgres from 'postgres'
import ts from 'typescript'
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest'
import type {} from '@pgqrs/test-database/vitest-global'
import type { Ended } from './command-line.js'
import { inFolder, mustRun, pack, type Tarballs } from './tarballs.js'

const { resolve } = createRequire(import.meta.url)
const better = dirname(resolve('better-sqlite3/package.json'))
const minutes = (n: number): number => n * 60_000
let tarballs: Tarballs

beforeAll(async () => {
  tarballs = await pack(['core', 'sqlite', 'postgres', 'cli'])
}, minutes(5))

afterAll(() => tarballs.remove())

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-empty-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** `npm install` of our tarballs and of packages of the registry. */
async function npmInstall(folder: string, ours: readonly string[], others: readonly string[]): Promise<void> {
  const files = ours.map((name) => tarballs.of(name))
  const flags = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await mustRun('npm', ['install', ...flags, ...files, ...others], folder)
}

/** `npx pgqrs`, without what npm itself may have to say about its configuration. */
const pgqrs = (folder: string, args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  inFolder(folder, 'npx', ['--no', '--', 'pgqrs', ...args], { npm_config_loglevel: 'error', ...env })

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>
}

/** What npm has put into the folder, and which of it wants to build something. */
async function tree(folder: string): Promise<{ names: string[]; building: string[]; native: string[] }> {
  const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8')) as Lock
  const files = await readdir(join(folder, 'node_modules'), { recursive: true })
  const named = (path: string): string => path.replace(/^.*node_modules\//, '')
  return {
    names: Object.keys(lock.packages).map(named),
    building: Object.entries(lock.packages)
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => named(path)),
    native: files.filter((file) => file.endsWith('.node')),
  }
}

/** A program and what it prints. */
interface Program {
  readonly code: string
  readonly prints: string
}

const onSqlite: Program = {
  code: `
import { defineWorkflow } from '@pgqrs/core'
import { connect } from '@pgqrs/sqlite'

const store = await connect(process.env.PGQRS_DSN)

const signUp = defineWorkflow('sign_up', async (run, input) => {
  const code = await run.step('make_code', () => \`code-for-\${input.email}\`)
  await run.sleep('wait', '50ms')
  const letters = await run.step('count', () => new Map([['letters', code.length]]))
  return { code, letters: letters.get('letters') }
})

const worker = store.worker([signUp])
await worker.start()
const handle = await store.trigger(signUp, { email: 'ada@example.com' }, { key: 'ada' })
console.log(JSON.stringify(await handle.result({ timeout: '30s' })))
await store.close()
`,
  prints: '{"code":"code-for-ada@example.com","letters":24}\n',
}

/** The first program of the README, without its types. */
async function firstOfReadme(dsn: string): Promise<Program> {
  const page = await readFile(join(import.meta.dirname, '../../../README.md'), 'utf8')
  const [, code = ''] = /^```ts\n(.*?)^```/ms.exec(page) ?? []
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(code, { compilerOptions })
  return {
    code: outputText.replaceAll('postgresql://localhost/app', dsn),
    prints: "{ code: 'code-for-ada@example.com' }\n",
  }
}

async function followReadme(folder: string, dsn: string, { code, prints }: Program): Promise<void> {
  const env = { PGQRS_DSN: dsn }
  // Only an install makes a file: a typing error must not leave an empty database behind.
  const before = dsn.startsWith('postgres')
    ? { code: 1, stderr: '' }
    : { code: 2, stderr: expect.stringContaining('There is no') }
  expect(await pgqrs(folder, ['verify'], env)).toMatchObject(before)
  expect(await pgqrs(folder, ['install'], env)).toMatchObject({ code: 0, stderr: '' })
  expect(await pgqrs(folder, ['verify'], env)).toMatchObject({ code: 0, stderr: '' })
  await writeFile(join(folder, 'app.mjs'), code)
  const ended = await inFolder(folder, process.execPath, ['app.mjs'], env)
  expect(ended).toEqual({ code: 0, stdout: prints, stderr: '' })
  const { stdout } = await pgqrs(folder, ['run', 'list', '--json'], env)
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ queue: 'sign_up', status: 'success' }] })
}

async function emptyDatabase(): Promise<string> {
  const name = `pgqrs_empty_${randomBytes(6).toString('hex')}`
  const server = postgres(inject('postgresDsn'), { max: 1, onnotice: () => undefined })
  await server.unsafe(`create database ${name} template template0`)
  onTestFinished(async () => {
    await server.unsafe(`drop database if exists ${name} with (force)`)
    await server.end({ timeout: 1 })
  })
  const dsn = new URL(inject('postgresDsn'))
  dsn.pathname = `/${name}`
  return dsn.href
}

it(
  'SQLite: install, verify and a workflow in an empty folder',
  async () => {
    const folder = await emptyFolder()
    const manifest = JSON.parse(await readFile(join(better, 'package.json'), 'utf8')) as { version: string }
    await npmInstall(folder, ['core', 'sqlite', 'cli'], [`better-sqlite3@${manifest.version}`])
    const { names, building, native } = await tree(folder)
    expect(names).toEqual(
      expect.arrayContaining(['@pgqrs/core', '@pgqrs/sqlite', '@pgqrs/cli', 'better-sqlite3']),
    )
    expect(names.filter((name) => /postgres|^pg$|libsql|turso/.test(name))).toEqual([])
    expect(building).toEqual(['better-sqlite3'])
    expect(native).toEqual([])
    // Where no prebuilt file can be had, npm compiles for more than a minute. The workspace has compiled this very
    // version for this very Node, so npm was told to run no scripts, and what the script would have made is put here.
    const built = 'build/Release/better_sqlite3.node'
    const place = join(folder, 'node_modules/better-sqlite3', built)
    await mkdir(dirname(place), { recursive: true })
    await copyFile(join(better, built), place)
    await followReadme(folder, 'sqlite:app.db', onSqlite)
  },
  minutes(3),
)

it(
  'Postgres: the same, without anything native',
  async () => {
    const folder = await emptyFolder()
    await npmInstall(folder, ['core', 'postgres', 'cli'], ['postgres@^3.4.9'])
    const { names, building, native } = await tree(folder)
    expect(names).toEqual(
      expect.arrayContaining(['@pgqrs/core', '@pgqrs/postgres', '@pgqrs/cli', 'postgres']),
    )
    expect(names.filter((name) => /sqlite|libsql|turso/.test(name))).toEqual([])
    expect({ building, native }).toEqual({ building: [], native: [] })
    const dsn = await emptyDatabase()
    await followReadme(folder, dsn, await firstOfReadme(dsn))
    const required = "console.log(require('@pgqrs/core').connect, require('@pgqrs/postgres').connect)"
    expect(await inFolder(folder, process.execPath, ['-e', required])).toEqual({
      code: 0,
      stdout: '[AsyncFunction: connect] [AsyncFunction: connect]\n',
      stderr: '',
    })
  },
  minutes(3),
)

it(
  'says which package to install when the driver is missing',
  async () => {
    const folder = await emptyFolder()
    await npmInstall(folder, ['core', 'cli'], [])
    const missing: [string, string][] = [
      ['postgres://app:s3cret@localhost/app', '@pgqrs/postgres postgres'],
      ['libsql://app.turso.io?authToken=s3cret', '@pgqrs/turso @libsql/client'],
    ]
    for (const [dsn, install] of missing) {
      const [name = ''] = install.split(' ')
      expect(await pgqrs(folder, ['install', '--dsn', dsn])).toEqual({
        code: 2,
        stdout: '',
        stderr: `error [DRIVER_MISSING] The driver ${name} is not installed. Run: npm install ${install}\n`,
      })
    }
  },
  minutes(3),
)

it(
  'finds the driver of a pnpm workspace package, which core cannot see',
  async () => {
    const workspace = await emptyFolder()
    const app = join(workspace, 'app')
    await mkdir(app)
    const file = (name: string): string => `file:${tarballs.of(name)}`
    const own = {
      '@pgqrs/core': file('core'),
      '@pgqrs/postgres': file('postgres'),
      '@pgqrs/cli': file('cli'),
    }
    const manifests = {
      [workspace]: { private: true, pnpm: { overrides: own } }, // no registry has these versions yet
      [app]: { name: 'app', dependencies: { ...own, postgres: '^3.4.9' } },
    }
    for (const [place, manifest] of Object.entries(manifests))
      await writeFile(join(place, 'package.json'), JSON.stringify(manifest))
    await writeFile(join(workspace, 'pnpm-workspace.yaml'), 'packages: [app]\nhoist: false\n')
    await mustRun('pnpm', ['install', '--prefer-offline', '--no-frozen-lockfile'], workspace)
    const main = join(app, 'node_modules/@pgqrs/cli/dist/main.js')
    const env = { PGQRS_DSN: await emptyDatabase() }
    const install = (folder: string, script: string): Promise<Ended> =>
      inFolder(folder, process.execPath, [script, 'install'], env)
    // In pnpm's store the script has only its own dependencies beside it.
    const inStore = await realpath(main)
    expect(await install(tmpdir(), inStore)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('[DRIVER_MISSING]'),
    })
    expect(await install(app, inStore)).toMatchObject({ code: 0, stderr: '' })
    expect(await install(tmpdir(), main)).toMatchObject({ code: 0, stderr: '' })
  },
  minutes(3),
)
