import { randomUUID } from 'node:crypto'
import BetterSqlite3 from 'better-sqlite3'
import type { LimitRow, LimitTables } from './limit.js'

// The columns and indexes of pgqrs's own tables, without its counters.
const install = `
  create table if not exists bench_limit (
    id text not null primary key, queue text not null,
    status text not null check (status in ('queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled')),
    priority integer not null default 0, vt integer not null, due_at integer, key text,
    key_kept integer not null default false, payload text not null, lease_id text, worker_id text,
    claims integer not null default 0, failures integer not null default 0, crashes integer not null default 0,
    output text, error text, enqueued_at integer not null, started_at integer, finished_at integer
  );
  create index if not exists bench_limit_claim on bench_limit (queue, priority, vt, id) where finished_at is null;
  create unique index if not exists bench_limit_key on bench_limit (queue, key)
    where key is not null and (key_kept or finished_at is null);
  create index if not exists bench_limit_finished on bench_limit (queue, status, finished_at, id)
    where finished_at is not null;
  create table if not exists bench_limit_steps (
    run_id text not null, name text not null,
    kind text not null check (kind in ('step', 'transaction', 'sleep', 'pause', 'timer')),
    status text not null check (status in ('success', 'error', 'retrying')), output text, error text,
    failures integer not null default 0, wake_at integer, position integer not null, seen integer not null,
    recorded_at integer not null, primary key (run_id, name)
  );`

/** The statements on SQLite, with the durability pgqrs has: WAL and `synchronous = full`. */
export function sqliteLimit(file: string): LimitTables {
  const leaseId = randomUUID()
  const db = new BetterSqlite3(file)
  db.pragma('journal_mode = wal')
  db.pragma('synchronous = full')
  db.exec(install)
  const insert = db.prepare(
    `insert into bench_limit (id, queue, status, vt, payload, enqueued_at) values (?, ?, 'queued', ?, ?, ?)`,
  )
  const claim = db.prepare<(string | number)[], LimitRow>(
    `update bench_limit set status = 'running', claims = claims + 1, due_at = vt, vt = ?, lease_id = ?, worker_id = ?,
       started_at = ?
     where id in (
       select id from bench_limit where queue = ? and priority = 0 and finished_at is null and vt <= ?
       order by vt, id limit ?)
     returning id, payload`,
  )
  const checkpoint = db.prepare(
    `insert into bench_limit_steps (run_id, name, kind, status, output, position, seen, recorded_at)
     values (?, ?, 'step', 'success', '0', ?, ?, ?)`,
  )
  const remove = db.prepare('delete from bench_limit where id = ?')
  const finish = db.prepare(
    `update bench_limit set status = 'success', output = '3', finished_at = ? where id = ?`,
  )
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
      each(rows, (row) => insert.run(row.id, work, now, row.payload, now))
    },
    async claim(limit, work) {
      const now = Date.now()
      return claim.all(now + 30_000, leaseId, leaseId, now, work, now, limit)
    },
    async checkpoint(rows, step) {
      const now = Date.now()
      each(rows, (row) => checkpoint.run(row.id, `step_${step}`, step + 1, step, now))
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
