import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { hasEnded, lastLines, startGuarded } from './guarded-process.js'
import { openKeeper } from './keeper.js'
import { unprivilegedUser, writeSecret } from './unprivileged-user.js'

/** A running PgBouncer. */
export interface PgBouncer {
  /** The target's dsn by way of PgBouncer. Any database of the server can be named in it. */
  readonly dsn: string
  /** Stops it and removes its directory. May be called twice. */
  stop(): Promise<void>
}

/**
 * Starts PgBouncer in transaction mode in front of a Postgres, on a free port of 127.0.0.1. Clients of versions
 * before 1.21, Debian's among them, must not use named prepared statements. Like a server of `startPostgres` it
 * does not outlive this process.
 * @returns undefined when no `pgbouncer` is installed, on the PATH or in /usr/sbin.
 * @throws {Error} with its log when it does not start.
 */
export async function startPgBouncer(targetDsn: string): Promise<PgBouncer | undefined> {
  const file = installed()
  if (!file) return undefined
  const keeper = await openKeeper()
  try {
    const port = await freePort()
    const user = unprivilegedUser()
    const log = join(keeper.directory, 'pgbouncer.log')
    const settings = join(keeper.directory, 'pgbouncer.ini')
    const users = join(keeper.directory, 'users.txt')
    const target = new URL(targetDsn)
    const [name, password] = [target.username, target.password].map(decodeURIComponent)
    await writeSecret(users, `"${name}" "${password}"\n`, user)
    await writeFile(settings, configuration(target, port, users))
    const child = await startGuarded(keeper, { file, args: [settings], log, user, endBy: 'SIGKILL' })
    await eventually('PgBouncer to accept connections', async () => {
      if (hasEnded(child)) throw new Error(`PgBouncer did not start:\n${await lastLines(log)}`)
      return accepts(port)
    })
    child.unref()
    target.host = `127.0.0.1:${port}`
    return { dsn: target.href, stop: () => keeper.close() }
  } catch (error) {
    await keeper.close()
    throw error
  }
}

/** Whether `startPgBouncer` has one to start. */
export function hasPgBouncer(): boolean {
  return installed() !== undefined
}

function installed(): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
  return directories
    .map((directory) => join(directory, 'pgbouncer'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

function configuration(target: URL, port: number, users: string): string {
  return `[databases]
* = host=${target.hostname} port=${target.port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
auth_type = scram-sha-256
auth_file = ${users}
ignore_startup_parameters = extra_float_digits
max_client_conn = 500
default_pool_size = 20
`
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
