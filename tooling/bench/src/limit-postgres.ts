import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import type { LimitRow, LimitTables } from './limit.js'

// The columns and indexes of pgqrs's own tables, without its counters.
const install = `
  create table bench_limit (
    id uuid not null primary key, queue text not null,
    status text not null check (status in ('queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled')),
    priority integer not null default 0, vt timestamptz not null, due_at timestamptz, key text,
    key_kept boolean not null default false, payload text not null, lease_id uuid, worker_id uuid,
    claims integer not null default 0, failures integer not null default 0, crashes integer not null default 0,
    output text, error text, enqueued_at timestamptz not null, started_at timestamptz, finished_at timestamptz
  );
  create index bench_limit_claim on bench_limit (queue, priority, vt, id) where finished_at is null;
  create unique index bench_limit_key on bench_limit (queue, key)
    where key is not null and (key_kept or finished_at is null);
  create index bench_limit_finished on bench_limit (queue, status, finished_at, id) where finished_at is not null;
  create table bench_limit_steps (
    run_id uuid not null, name text not null,
    kind text not null check (kind in ('step', 'transaction', 'sleep', 'pause', 'timer')),
    status text not null check (status in ('success', 'error', 'retrying')), output text, error text,
    failures integer not null default 0, wake_at timestamptz, position integer not null, seen integer not null,
    recorded_at timestamptz not null, primary key (run_id, name)
  )`

/** The statements on Postgres. */
export function postgresLimit(dsn: string): LimitTables {
  const leaseId = randomUUID()
  const sql = postgres(dsn, { max: 3, onnotice: () => undefined })
  const send = (
    text: string,
    values: (string | number | readonly string[])[],
  ): postgres.PendingQuery<LimitRow[]> => sql.unsafe<LimitRow[]>(text, values as never[], { prepare: true })
  const ids = (rows: readonly LimitRow[]): string[] => rows.map((row) => row.id)
  return {
    async install() {
      await sql.unsafe(install)
    },
    async insert(rows, work) {
      await send(
        `insert into bench_limit (id, queue, status, vt, payload, enqueued_at)
         select r.id, $3, 'queued', now(), r.payload, now() from unnest($1::uuid[], $2::text[]) as r(id, payload)`,
        [ids(rows), rows.map((row) => row.payload), work],
      )
    },
    async claim(limit, work) {
      return send(
        `with next as (
           select id from bench_limit where queue = $1 and priority = 0 and finished_at is null and vt <= now()
           order by vt, id limit $2 for update skip locked)
         update bench_limit b set status = 'running', claims = claims + 1, due_at = vt,
           vt = now() + interval '30 seconds', lease_id = $3, worker_id = $3, started_at = now()
         from next where b.id = next.id returning b.id, b.payload`,
        [work, limit, leaseId],
      )
    },
    async checkpoint(rows, step) {
      await send(
        `insert into bench_limit_steps (run_id, name, kind, status, output, position, seen, recorded_at)
         select r, $2, 'step', 'success', '0', $3, $3, now() from unnest($1::uuid[]) r`,
        [ids(rows), `step_${step}`, step + 1],
      )
    },
    async remove(rows) {
      await send('delete from bench_limit where id = any($1::uuid[])', [ids(rows)])
    },
    async finish(rows) {
      await send(
        `update bench_limit set status = 'success', output = '3', finished_at = now() where id = any($1::uuid[])`,
        [ids(rows)],
      )
    },
    close: () => sql.end(),
  }
}
