import BetterSqlite3, { type Database } from 'better-sqlite3'
import { join } from 'node:path'
import { connect } from '@pgqrs/sqlite'
import type { ChaosDatabase, Row } from './database.js'
import { prepared } from './prepare.js'
import { mountSmallDisk } from './small-disk.js'
import { sqliteLog, userTables } from './tables.js'

/** A SQLite file in this folder, installed and watched; where that is allowed, on a small disk of its own. */
export async function openSqlite(folder: string, disk: number | undefined): Promise<ChaosDatabase> {
  const smallDisk = disk === undefined ? undefined : mountSmallDisk(folder, disk)
  const file = join(smallDisk?.folder ?? folder, 'chaos.db')
  const dsn = `sqlite:${file}`
  const answers = await prepared(await connect(dsn))
  let db: Database | undefined
  const own = (): Database => (db ??= new BetterSqlite3(file, { timeout: 20_000 }))
  const letGo = async (): Promise<void> => {
    db?.close()
    db = undefined
  }
  for (const statement of [...userTables(), ...sqliteLog()]) own().exec(statement)
  return {
    kind: 'sqlite',
    dsn,
    straightDsn: dsn,
    file,
    answers,
    ...(smallDisk === undefined ? {} : { smallDisk: smallDisk.folder }),
    query: async (sql) => {
      const statement = own().prepare<unknown[], Row>(sql)
      if (statement.reader) return statement.all()
      statement.run()
      return []
    },
    integrity: async () => {
      const found = own().pragma('integrity_check') as { integrity_check: string }[]
      const problems = found.map((row) => row.integrity_check).filter((line) => line !== 'ok')
      return { check: 'pragma integrity_check', problems }
    },
    leftovers: async () => ({ openTransactions: isWritable(file) ? 0 : 1, advisoryLocks: 0 }),
    letGo,
    close: async () => {
      await letGo()
      smallDisk?.unmount()
    },
  }
}

/** Whether nobody holds the write lock. */
function isWritable(file: string): boolean {
  const db = new BetterSqlite3(file, { timeout: 100 })
  try {
    db.exec('begin immediate; rollback')
    return true
  } catch {
    return false
  } finally {
    db.close()
  }
}
