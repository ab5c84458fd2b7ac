import { spawnSync } from 'node:child_process'
import { appendFile, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { eventually } from './eventually.js'
import type { SpawnUser } from './unprivileged-user.js'

/** A standby that follows the primary. */
export interface Standby {
  /**
   * Lets it follow no longer: it has everything that was committed before the call, and nothing of what is committed
   * after the promise has resolved. With a standby that follows synchronously no commit would be acknowledged then.
   */
  cutOff(): Promise<void>
  /** The server stops as if it had crashed, and the standby, promoted to a new timeline, takes its address. */
  failOver(): Promise<void>
}

/** Where the data of a primary is, and where that of its standby is to be. */
export interface StandbyPlan {
  readonly primaryDsn: string
  readonly primaryData: string
  readonly data: string
  readonly user: SpawnUser
}

/**
 * Copies a running primary, as pg_basebackup does, into the data directory of a standby that follows it.
 * @throws {Error} when the copy fails, and what the connection throws.
 */
export async function makeStandby({ primaryDsn, primaryData, data, user }: StandbyPlan): Promise<void> {
  await mkdir(data, { mode: 0o700 })
  if (user.uid !== undefined && user.gid !== undefined) await chown(data, user.uid, user.gid)
  const sql = postgres(primaryDsn, { max: 1, onnotice: () => {} })
  try {
    await sql`select pg_backup_start('standby', true)`
    // Files that vanish while they are copied are none that the backup needs.
    spawnSync('cp', ['-a', `${primaryData}/.`, data], { ...user, cwd: '/', stdio: 'ignore' })
    const [row] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`
    if (!row) throw new Error('the backup has no label')
    await rm(join(data, 'postmaster.pid'), { force: true })
    const { hostname, port, username, password } = new URL(primaryDsn)
    const primary = `host=${hostname} port=${port} user=${username} password=${password} application_name=standby`
    await writeAs(user, join(data, 'backup_label'), row.labelfile)
    await writeAs(user, join(data, 'standby.signal'), '')
    await appendFile(join(data, 'postgresql.conf'), `\nprimary_conninfo = '${primary}'\n`)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function writeAs({ uid, gid }: SpawnUser, file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 })
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid)
}

/** From now on a commit of the primary is acknowledged when the standby has it, too. Resolves when that is so. */
export async function followSynchronously(primaryDsn: string): Promise<void> {
  const sql = postgres(primaryDsn, { max: 1, onnotice: () => {} })
  try {
    await sql.unsafe("alter system set synchronous_standby_names = 'standby'")
    await sql`select pg_reload_conf()`
    await eventually(
      'the standby to follow synchronously',
      async () => (await sql`select 1 from pg_stat_replication where sync_state = 'sync'`).length > 0,
      { timeoutMs: 30_000, everyMs: 50 },
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/**
 * Lets a standby follow no longer. It has received everything that was committed before the call, and nothing of what
 * is committed after the promise has resolved.
 */
export async function cutOff(primaryDsn: string, standbyDsn: string): Promise<void> {
  const primary = postgres(primaryDsn, { max: 1, onnotice: () => {} })
  const standby = postgres(standbyDsn, { max: 1, onnotice: () => {} })
  try {
    const [row] = await primary<{ lsn: string }[]>`select pg_current_wal_flush_lsn()::text as lsn`
    const { lsn } = row ?? { lsn: '0/0' }
    const received = async (): Promise<boolean> =>
      (await standby`select 1 where pg_last_wal_receive_lsn() >= ${lsn}::text::pg_lsn`).length > 0
    await eventually('the standby to catch up', received, { timeoutMs: 30_000, everyMs: 20 })
    await standby.unsafe("alter system set primary_conninfo = ''")
    await standby`select pg_reload_conf()`
    const alone = async (): Promise<boolean> =>
      (await standby`select 1 from pg_stat_wal_receiver`).length === 0
    await eventually('the standby to be cut off', alone, { timeoutMs: 30_000, everyMs: 20 })
  } finally {
    await Promise.all([primary.end({ timeout: 1 }), standby.end({ timeout: 1 })])
  }
}

/** Makes a standby the primary of a new timeline that follows and is followed by nobody. */
export async function promote(standbyDsn: string): Promise<void> {
  const sql = postgres(standbyDsn, { max: 1, onnotice: () => {} })
  try {
    await sql`select pg_promote(true, 60)`
    await sql.unsafe('alter system reset synchronous_standby_names')
    // A standby of its own would find it in its copy.
    await sql.unsafe('alter system reset primary_conninfo')
  } finally {
    await sql.end({ timeout: 1 })
  }
}
