import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, chown, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { hasEnded, lastLines, startGuarded } from './guarded-process.js'
import { openKeeper, type Keeper } from './keeper.js'
import { cutOff, followSynchronously, makeStandby, promote, type Standby } from './standby.js'
import { postgresBinaries, type PostgresBinaries, type PostgresVersion } from './postgres-binaries.js'
import { unprivilegedUser, writeSecret, type SpawnUser } from './unprivileged-user.js'

/** A Postgres that belongs to this process alone. */
export interface EmbeddedPostgres {
  readonly dsn: string
  stop(): Promise<void>
  restart(mode: 'fast' | 'immediate'): Promise<void>
  replicate(how?: 'synchronously' | 'asynchronously'): Promise<Standby>
}

/**
 * What an own server differs in from the defaults of Postgres. `fsync` off makes tests faster and loses nothing
 * when the server is killed, only when the machine fails; `PGQRS_TEST_FSYNC=on`, or the option `settings`,
 * turns it on where the speed of commits is measured.
 */
export function defaultSettings(): Record<string, string> {
  return { fsync: process.env['PGQRS_TEST_FSYNC'] === 'on' ? 'on' : 'off', max_connections: '200' }
}

/** An initialised data directory, and how to run a server on it. */
interface Cluster {
  binaries: PostgresBinaries
  data: string
  log: string
  user: SpawnUser
  keeper: Keeper
}

/**
 * Starts an own Postgres on a free port of 127.0.0.1, without a Unix socket, in a directory that disappears with
 * it. It logs to `server.log` there.
 * @param settings - lines of postgresql.conf, over `defaultSettings()`.
 * @throws {Error} with the last lines of the log when it does not start.
 */
export async function startEmbeddedPostgres(
  version: PostgresVersion,
  settings: Record<string, string>,
): Promise<EmbeddedPostgres> {
  const keeper = await openKeeper()
  try {
    const user = unprivilegedUser()
    const password = randomBytes(12).toString('hex')
    let cluster: Cluster = {
      binaries: await postgresBinaries(version, user, keeper.directory),
      data: join(keeper.directory, 'data'),
      log: join(keeper.directory, 'server.log'),
      user,
      keeper,
    }
    await initialise(cluster, password, { ...defaultSettings(), ...settings })
    const begun = await launchSomewhere(cluster)
    const { port } = begun
    let { postmaster } = begun
    const dsnAt = (at: number): string => `postgres://postgres:${password}@127.0.0.1:${at}/postgres`
    return {
      dsn: dsnAt(port),
      stop: () => keeper.close(),
      async restart(mode) {
        await end(postmaster, mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
        postmaster = await launch(cluster, port)
      },
      async replicate(how = 'synchronously') {
        const data = join(keeper.directory, `standby-${randomBytes(4).toString('hex')}`)
        const standby: Cluster = { ...cluster, data }
        await makeStandby({ primaryDsn: dsnAt(port), primaryData: cluster.data, data, user })
        const following = await launchSomewhere(standby)
        if (how === 'synchronously') await followSynchronously(dsnAt(port))
        return {
          cutOff: () => cutOff(dsnAt(port), dsnAt(following.port)),
          async failOver() {
            await end(postmaster, 'SIGQUIT')
            await promote(dsnAt(following.port))
            await end(following.postmaster, 'SIGINT')
            cluster = standby
            postmaster = await launch(cluster, port)
          },
        }
      },
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

async function initialise(
  cluster: Cluster,
  password: string,
  settings: Record<string, string>,
): Promise<void> {
  const { binaries, data, keeper, user } = cluster
  const passwordFile = join(keeper.directory, 'password')
  await writeSecret(passwordFile, password, user)
  await mkdir(data, { mode: 0o700 })
  if (user.uid !== undefined && user.gid !== undefined) await chown(data, user.uid, user.gid)
  const flags = ['--auth=scram-sha-256', '--username=postgres', '--encoding=UTF8', '--locale=C']
  const initdb = await startGuarded(keeper, {
    file: binaries.initdb,
    args: [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...flags, '--no-sync', '--no-instructions'],
    log: cluster.log,
    user,
    endBy: 'SIGKILL',
  })
  const [code] = (await once(initdb, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`initdb failed:\n${await lastLines(cluster.log)}`)
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`)
  await appendFile(join(data, 'postgresql.conf'), `\n${lines.join('\n')}\n`)
}

/** Launches on a port that is free, and on another one should somebody be quicker to take it. */
async function launchSomewhere(cluster: Cluster): Promise<{ port: number; postmaster: ChildProcess }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      return { port, postmaster: await launch(cluster, port) }
    } catch (error) {
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

async function launch(cluster: Cluster, port: number): Promise<ChildProcess> {
  const flags = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=']
  const postmaster = await startGuarded(cluster.keeper, {
    file: cluster.binaries.postgres,
    args: ['-D', cluster.data, '-p', String(port), ...flags],
    log: cluster.log,
    user: cluster.user,
    endBy: 'SIGQUIT',
  })
  await eventually(
    'Postgres to accept connections',
    async () => {
      if (hasEnded(postmaster)) throw new Error(`Postgres did not start:\n${await lastLines(cluster.log)}`)
      return isReady(cluster.data, postmaster.pid)
    },
    { timeoutMs: 60_000 },
  )
  // A test process that is done ends even if nobody stopped the server: the keeper does.
  postmaster.unref()
  return postmaster
}

/** What `pg_ctl --wait` looks at: the eighth line of postmaster.pid. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready'
}

async function end(postmaster: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(postmaster)) return
  postmaster.ref()
  const exited = once(postmaster, 'exit')
  postmaster.kill(signal)
  await exited
}
