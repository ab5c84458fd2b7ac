import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { connect } from '../src/api/connect.js'
import { findPackage, isInstalledFor } from '../src/config/load-package.js'
import { resolveConfig } from '../src/config/resolve.js'
import { isSettled, settled } from '../src/config/settled.js'

/** A user's folder with these packages in it, each one file. */
function projectWith(packages: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-core-'))
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  for (const [name, code] of Object.entries(packages)) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    const manifest = { name, type: 'module', exports: { '.': { default: './index.js' } } }
    writeFileSync(join(place, 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(place, 'index.js'), code)
  }
  return folder
}

function workIn(folder: string): void {
  const before = process.cwd()
  process.chdir(folder)
  onTestFinished(() => {
    process.chdir(before)
  })
}

it('finds a package of the project that core itself cannot see', async () => {
  const folder = projectWith({ 'a-driver': 'export const speaks = 1' })
  expect(findPackage('a-driver')).toBeUndefined()
  expect(await findPackage('a-driver', folder)?.load()).toMatchObject({ speaks: 1 })
  expect(await findPackage('a-driver', join(folder, 'deeper/still'))?.load()).toMatchObject({ speaks: 1 })
})

it('finds what core sees without looking at the project', async () => {
  expect(await findPackage('kysely', projectWith({ kysely: 'throw 1' }))?.load()).toHaveProperty('Kysely')
})

it('does not take an error of the package for its absence', async () => {
  const folder = projectWith({ 'a-driver': "throw new Error('boom')" })
  await expect(findPackage('a-driver', folder)?.load()).rejects.toThrow('boom')
})

it('knows whether one package can import another', () => {
  const folder = projectWith({ 'a-driver': '', 'a-client': '' })
  const { path } = findPackage('a-driver', folder)!
  expect(isInstalledFor(path, 'a-client')).toBe(true)
  expect(isInstalledFor(path, 'another-client')).toBe(false)
})

it('connects through a driver that only the project has', async () => {
  const code = 'export const connect = async (options) => ({ options })'
  workIn(projectWith({ '@pgqrs/postgres': code }))
  expect(await connect('postgres://localhost/app')).toMatchObject({
    options: { dsn: 'postgres://localhost/app', maxConnections: 10 },
  })
})

it('names the driver to install, and the client the driver lacks', async () => {
  workIn(projectWith({ '@pgqrs/sqlite': "import 'better-sqlite3'" }))
  await expect(connect('postgres://localhost/app')).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
    message: 'The driver @pgqrs/postgres is not installed. Run: npm install @pgqrs/postgres postgres',
  })
  await expect(connect('libsql://example.turso.io')).rejects.toThrow(
    'npm install @pgqrs/turso @libsql/client',
  )
  await expect(connect(':memory:')).rejects.toMatchObject({
    code: 'DRIVER_MISSING',
    message: expect.stringMatching(
      /^The driver @pgqrs\/sqlite needs better-sqlite3, which is not installed\. Run: npm install better-sqlite3(@12)?$/,
    ),
  })
})

it('lets nothing join a configuration that is settled', () => {
  const { config } = resolveConfig({ dsn: 'sqlite:app.db', lease: '1m' }, { env: {} })
  vi.stubEnv('PGQRS_SCHEMA', 'elsewhere')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const { ...copied } = settled(config)
  expect(isSettled(copied)).toBe(true)
  expect(resolveConfig(copied).config).toEqual(config)
  expect(resolveConfig({ dsn: 'sqlite:app.db' }).config.schema).toBe('elsewhere')
})
