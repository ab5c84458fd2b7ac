import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { findPackage } from '../src/config/load-package.js'
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

/** What becomes of `connect(dsn)` in a process that works in that folder, as JSON. */
function connectedIn(folder: string, dsn: string): unknown {
  const core = new URL('../src/index.ts', import.meta.url).href
  const script = `import { connect } from '${core}'
    const told = ({ code, message }) => ({ code, message })
    console.log(JSON.stringify(await connect('${dsn}').catch(told)))`
  const flags = ['--conditions=@pgqrs/source', '--import', import.meta.resolve('tsx'), '--input-type=module']
  // The command that started us may have made every package of the workspace visible to all.
  const env = { ...process.env, NODE_PATH: '' }
  return JSON.parse(
    execFileSync(process.execPath, [...flags, '--eval', script], { cwd: folder, env, encoding: 'utf8' }),
  )
}

it('finds a package of the project that core itself cannot see', async () => {
  const folder = projectWith({ 'a-driver': 'export const speaks = 1' })
  expect(findPackage('a-driver')).toBeUndefined()
  expect(await findPackage('a-driver', folder)?.()).toMatchObject({ speaks: 1 })
  expect(await findPackage('a-driver', join(folder, 'deeper/still'))?.()).toMatchObject({ speaks: 1 })
})

it('finds what core sees without looking at the project', async () => {
  expect(await findPackage('kysely', projectWith({ kysely: 'throw 1' }))?.()).toHaveProperty('Kysely')
})

it('does not take an error of the package for its absence', async () => {
  const folder = projectWith({ 'a-driver': "throw new Error('boom')" })
  await expect(findPackage('a-driver', folder)?.()).rejects.toThrow('boom')
})

it('connects through a driver that only the project has', () => {
  const driver = 'export const connect = async (options) => ({ options })'
  expect(connectedIn(projectWith({ '@pgqrs/postgres': driver }), 'postgres://localhost/app')).toMatchObject({
    options: { dsn: 'postgres://localhost/app', maxConnections: 10 },
  })
})

it('names the driver to install', () => {
  expect(connectedIn(projectWith({}), 'postgres://localhost/app')).toEqual({
    code: 'DRIVER_MISSING',
    message: 'The driver @pgqrs/postgres is not installed. Run: npm install @pgqrs/postgres postgres',
  })
})

it('names the client that the driver lacks', () => {
  const folder = projectWith({ '@pgqrs/turso': "import '@libsql/client'" })
  expect(connectedIn(folder, 'libsql://example.turso.io')).toEqual({
    code: 'DRIVER_MISSING',
    message:
      'The driver @pgqrs/turso needs @libsql/client, which is not installed. Run: npm install @libsql/client',
  })
})

it('passes on what else keeps a driver from loading', () => {
  const folder = projectWith({ '@pgqrs/sqlite': "import './gone.js'" })
  expect(connectedIn(folder, ':memory:')).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' })
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
