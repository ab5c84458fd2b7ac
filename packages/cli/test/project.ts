import { mkdtempSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Store } from '@pgqrs/core'
import { onTestFinished, vi } from 'vitest'

/** Where the packages of the workspace are that a user would have installed. */
export const installed = join(import.meta.dirname, '../node_modules/@pgqrs')

/**
 * A user's folder with these drivers installed: the working directory until the test ends, with an environment that says
 * nothing of pgqrs.
 */
export function project(drivers: readonly string[] = ['sqlite', 'postgres', 'turso']): string {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-cli-'))
  mkdirSync(join(folder, 'node_modules/@pgqrs'), { recursive: true })
  for (const name of drivers) symlinkSync(join(installed, name), join(folder, 'node_modules/@pgqrs', name))
  const before = process.cwd()
  process.chdir(folder)
  for (const name of Object.keys(process.env)) {
    if (/^(PGQRS_|DATABASE_URL$|NO_COLOR$|FORCE_COLOR$)/.test(name)) vi.stubEnv(name, undefined)
  }
  onTestFinished(() => {
    vi.unstubAllEnvs()
    process.chdir(before)
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** A store that is closed when the test ends. */
export async function open(dsn: string): Promise<Store> {
  const store = await connect(dsn)
  onTestFinished(() => store.close())
  return store
}

/** A project whose PGQRS_DSN names a SQLite file with pgqrs installed in it. */
export async function installedProject(): Promise<Store> {
  project()
  vi.stubEnv('PGQRS_DSN', 'sqlite:app.db')
  const store = await open('sqlite:app.db')
  await store.admin.install()
  return store
}
