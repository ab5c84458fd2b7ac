import { createClient } from '@libsql/client'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { connect } from '@pgqrs/turso'
import { startLibsqlServer, startProxy } from '@pgqrs/test-database'
import type { ChaosDatabase, Row } from './database.js'
import { prepared } from './prepare.js'
import { mountSmallDisk } from './small-disk.js'
import { sqliteLog, userTables } from './tables.js'

/** A libSQL server's stand-in on a file in this folder, behind a proxy, installed and watched. */
export async function openTurso(folder: string, disk: number | undefined): Promise<ChaosDatabase> {
  const smallDisk = disk === undefined ? undefined : mountSmallDisk(folder, disk)
  const file = join(smallDisk?.folder ?? folder, 'chaos.db')
  const secret = randomBytes(12).toString('hex')
  const server = await startLibsqlServer({ file, token: secret })
  const proxy = await startProxy(server.httpUrl)
  const withToken = (url: string): string => `${url.replace(/\/$/, '')}?authToken=${secret}`
  const answers = await prepared(await connect(withToken(server.httpUrl)))
  // Looks into the file itself: the server and the network have faults.
  const client = createClient({ url: `file:${file}`, concurrency: 1, timeout: 20_000 })
  for (const statement of [...userTables(), ...sqliteLog()]) await client.execute(statement)
  const query = async (sql: string): Promise<Row[]> => {
    const { columns, rows } = await client.execute(sql)
    return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))
  }
  return {
    kind: 'turso',
    dsn: withToken(proxy.dsn),
    straightDsn: withToken(server.httpUrl),
    answers,
    secret,
    proxy,
    libsql: server,
    file,
    ...(smallDisk === undefined ? {} : { smallDisk: smallDisk.folder }),
    query,
    integrity: async () => {
      const found = await query('pragma integrity_check')
      const problems = found.map((row) => String(Object.values(row)[0])).filter((line) => line !== 'ok')
      return { check: 'pragma integrity_check', problems }
    },
    leftovers: async () => {
      try {
        const tx = await client.transaction('write')
        await tx.rollback()
        return { openTransactions: 0, advisoryLocks: 0 }
      } catch {
        return { openTransactions: 1, advisoryLocks: 0 }
      }
    },
    close: async () => {
      client.close()
      await proxy.stop()
      await server.stop()
      smallDisk?.unmount()
    },
  }
}
