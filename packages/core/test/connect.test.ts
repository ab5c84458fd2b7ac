import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { spawnChild } from '@pgqrs/test-database'
import { connect, ConfigError, type ConnectOptions } from '../src/index.js'
import { driverPackage } from '../src/api/connect.js'

// An empty folder: no driver can be seen from it, and core depends on none.
const started = process.cwd()
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgqrs-connect-'))
  process.chdir(folder)
  for (const name of ['PGQRS_DSN', 'DATABASE_URL']) vi.stubEnv(name, '')
})
afterEach(() => {
  process.chdir(started)
  rmSync(folder, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

/** Puts a package into the project that is the working directory. */
function install(name: string, source: string): void {
  const at = join(folder, 'node_modules', name)
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name, type: 'module', exports: './index.js' }))
  writeFileSync(join(at, 'index.js'), source)
}

const echo = 'export const connect = (options) => Promise.resolve({ options })'

interface Outcome {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly options?: ConnectOptions
}

/** Connects to each target in a process of its own, in the working directory; null stands for no argument. */
async function inProject(targets: readonly unknown[], env: Record<string, string> = {}): Promise<Outcome[]> {
  const path = join(import.meta.dirname, 'children/connect.ts')
  const args = targets.map((target) => JSON.stringify(target))
  // pnpm's way to start vitest lets every package see every other.
  const child = await spawnChild(path, args, { cwd: folder, env: { NODE_PATH: '', ...env } })
  const lines: string[] = []
  for await (const line of child.lines) lines.push(line)
  expect(await child.exited).toEqual({ code: 0, signal: null })
  return lines.map((line) => JSON.parse(line) as Outcome)
}

describe('the scheme of a DSN', () => {
  it.each([
    ['postgres://localhost/app', '@pgqrs/postgres'],
    ['postgresql://localhost/app', '@pgqrs/postgres'],
    ['POSTGRES://localhost/app', '@pgqrs/postgres'],
    ['sqlite:app.db', '@pgqrs/sqlite'],
    ['sqlite:///var/app.db', '@pgqrs/sqlite'],
    [':memory:', '@pgqrs/sqlite'],
    ['turso:app.db', '@pgqrs/turso'],
    ['libsql://host', '@pgqrs/turso'],
    ['file:app.db', '@pgqrs/turso'],
    ['https://host', '@pgqrs/turso'],
    ['http://127.0.0.1:8080', '@pgqrs/turso'],
    ['wss://host', '@pgqrs/turso'],
    ['ws://host', '@pgqrs/turso'],
  ])('%s belongs to %s', (dsn, name) => {
    expect(driverPackage(dsn)).toBe(name)
  })

  it.each([
    ['postgers://u:p4ss@h/app', 'Did you mean "postgres:"?'],
    ['posgresql://u:p4ss@h/app', 'Did you mean "postgresql:"?'],
    ['sqlit:app.db', 'Did you mean "sqlite:"?'],
    ['libsq://h?authToken=p4ss', 'Did you mean "libsql:"?'],
    ['mysql://u:p4ss@h/app', 'Known: postgres: postgresql:'],
    ['mongodb+srv://u:p4ss@h/app', 'Known: postgres: postgresql:'],
    ['constructor:app', 'No driver knows the scheme "constructor:"'],
    ['__proto__:app', 'has no scheme'],
    ['postgres//u:p4ss@h/app', 'has no scheme'],
    ['//u:p4ss@h/app', 'has no scheme'],
    ['app.db', 'has no scheme'],
    [' postgres://u:p4ss@h/app', 'has no scheme'],
    ['\n', 'has no scheme'],
  ])('of %o is refused with the nearest one or all of them, and no secret', async (dsn, said) => {
    const error: unknown = await connect(dsn).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toContain(said)
    expect(`${String(error)} ${(error as Error).stack ?? ''}`).not.toContain('p4ss')
  })
})

describe('connect', () => {
  it('names the packages to install when there is no driver', async () => {
    const outcomes = await inProject([
      'postgres://u:p4ss@h/app',
      'sqlite:app.db',
      'libsql://h?authToken=p4ss',
    ])
    expect(outcomes.map(({ name, code }) => `${name} ${code}`)).toEqual(
      Array(3).fill('DriverMissingError DRIVER_MISSING'),
    )
    expect(outcomes.map(({ message }) => message)).toEqual([
      expect.stringContaining('Run: npm install @pgqrs/postgres postgres'),
      expect.stringContaining('Run: npm install @pgqrs/sqlite better-sqlite3'),
      expect.stringContaining('Run: npm install @pgqrs/turso @libsql/client'),
    ])
    expect(JSON.stringify(outcomes)).not.toContain('p4ss')
  })

  it('tells a driver without its client from one that breaks', async () => {
    install('@pgqrs/turso', "import '@libsql/client'\nexport const connect = () => undefined")
    install('@pgqrs/sqlite', "import './not-there.js'\nexport const connect = () => undefined")
    install('better-sqlite3', '')
    install('@pgqrs/postgres', "throw new Error('broken driver')")
    install('postgres', '')
    expect(await inProject(['libsql://h', 'sqlite:app.db', 'postgres://localhost'])).toMatchObject([
      {
        name: 'DriverMissingError',
        message: expect.stringMatching(/needs @libsql\/client.*install @libsql\/client$/),
      },
      { code: 'ERR_MODULE_NOT_FOUND', message: expect.stringContaining('not-there.js') },
      { name: 'Error', message: 'broken driver' },
    ])
  })

  it('hands the driver of the project every setting, from wherever it comes', async () => {
    install('@pgqrs/sqlite', echo)
    writeFileSync('pgqrs.yaml', 'dsn: sqlite:file.db\nschema: here\nlease: 7s\nbatchSize: 3\n')
    writeFileSync('other.yaml', 'dsn: sqlite:other.db\n')
    const targets = [{ dsn: 'sqlite:app.db', maxCrashes: 9 }, null, {}, { config: 'other.yaml' }]
    const outcomes = await inProject(targets, {
      PGQRS_DEFAULT_BATCH_SIZE: '4',
      DATABASE_URL: 'sqlite:url.db',
    })
    const common = { schema: 'here', lease: 7000, batchSize: 4, pollInterval: 1000 }
    expect(outcomes.map(({ options }) => options)).toMatchObject([
      { ...common, dsn: 'sqlite:app.db', maxCrashes: 9 },
      { ...common, dsn: 'sqlite:file.db' },
      { ...common, dsn: 'sqlite:file.db' },
      { dsn: 'sqlite:other.db', lease: 30_000 },
    ])
    // What the other file does not say is not to be found in pgqrs.yaml.
    expect(outcomes[3]?.options).not.toHaveProperty('schema')
    expect(outcomes[3]?.options).not.toHaveProperty('config')
    await expect(connect({ config: 'missing.yaml' })).rejects.toThrow(/^missing\.yaml cannot be read/)
  })

  it('says where a database can be configured when none is', async () => {
    for (const target of [undefined, {}]) {
      await expect(connect(target)).rejects.toThrow(/PGQRS_DSN.*pgqrs\.yaml/)
    }
  })

  it.each([
    [{ dsn: ':memory:', leese: 5 }, 'connect: unknown option "leese". Did you mean "lease"?'],
    [{ dsn: ':memory:', lease: -1 }, 'option: lease must be'],
    [{ dsn: 5 }, 'option: dsn must be'],
    ['', 'option: dsn must be'],
    [5, 'connect: the options must be an object'],
    [['sqlite:app.db'], 'connect: the options must be an object'],
  ])('refuses %o', async (target, said) => {
    const error: unknown = await connect(target as ConnectOptions).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: expect.stringMatching(/^INVALID_/),
      message: expect.stringContaining(said),
    })
  })
})
