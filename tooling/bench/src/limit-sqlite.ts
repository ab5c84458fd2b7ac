import BetterSqlite3 from 'better-sqlite3'
import type { LimitRow, LimitTables } from './limit.js'

const install = `
  create table if not exists bench_limit (
    id text primary key, work text not null, payload text not null,
    lease_id text, vt integer not null, finished_at integer, output text
  ) without rowid;
  create index if not exists bench_limit_ready on bench_limit (work, id) where finished_at is null and lease_id is null;
  create table if not exists bench_limit_steps (
    run_id text, step integer, output text, primary key (run_id, step)
  ) without rowid;`

/** The statements on SQLite, with the durability pgqrs has: WAL and `synchronous = full`. */
export function sqliteLimit(file: string): LimitTables {
  const db = new BetterSqlite3(file)
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = full')
  db.exec(install)
  const insert = db.prepare('insert into bench_limit (id, work, payload, vt) values (?, ?, ?, ?)')
  const claim = db.prepare<[string, number, string, number], LimitRow>(
    `update bench_limit set lease_id = ?, vt = ? where id in (
       select id from bench_limit where work = ? and finished_at is null and lease_id is null order by id limit ?)
     returning id, payload`,
  )
  const checkpoint = db.prepare(`insert into bench_limit_steps (run_id, step, output) values (?, ?, '0')`)
  const remove = db.prepare('delete from bench_limit where id = ?')
  const finish = db.prepare(`update bench_limit set finished_at = ?, output = '3' where id = ?`)
  const each = (rows: readonly LimitRow[], write: (row: LimitRow) => void): void => {
    db.transaction(() => {
      for (const row of rows) write(row)
    }).immediate()
  }
  return {
    async install() {
      db.exec(install)
    },
    async insert(rows, work) {
      const now = Date.now()
      each(rows, (row) => insert.run(row.id, work, row.payload, now))
    },
    async claim(limit, work) {
      return claim.all(String(limit), Date.now() + 30_000, work, limit)
    },
    async checkpoint(rows, step) {
      each(rows, (row) => checkpoint.run(row.id, step))
    },
    async remove(rows) {
      each(rows, (row) => remove.run(row.id))
    },
    async finish(rows) {
      const now = Date.now()
      each(rows, (row) => finish.run(now, row.id))
    },
    async close() {
      db.close()
    },
  }
}
