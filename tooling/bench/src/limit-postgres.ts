import postgres from 'postgres'
import type { LimitRow, LimitTables } from './limit.js'

const install = `
  create table bench_limit (
    id uuid primary key, work text not null, payload text not null,
    lease_id uuid, vt timestamptz not null default now(), finished_at timestamptz, output text
  );
  create index on bench_limit (work, id) where finished_at is null and lease_id is null;
  create table bench_limit_steps (run_id uuid, step int, output text, primary key (run_id, step))`

/** The statements on Postgres. */
export function postgresLimit(dsn: string): LimitTables {
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
        `insert into bench_limit (id, work, payload) select r.id, $3, r.payload
         from unnest($1::uuid[], $2::text[]) as r(id, payload)`,
        [ids(rows), rows.map((row) => row.payload), work],
      )
    },
    async claim(limit, work) {
      return send(
        `with next as (
           select id from bench_limit where work = $1 and finished_at is null and lease_id is null
           order by id limit $2 for update skip locked)
         update bench_limit b set lease_id = gen_random_uuid(), vt = now() + interval '30 seconds'
         from next where b.id = next.id returning b.id, b.payload`,
        [work, limit],
      )
    },
    async checkpoint(rows, step) {
      await send(
        `insert into bench_limit_steps (run_id, step, output) select r, $2, '0' from unnest($1::uuid[]) r`,
        [ids(rows), step],
      )
    },
    async remove(rows) {
      await send('delete from bench_limit where id = any($1::uuid[])', [ids(rows)])
    },
    async finish(rows) {
      await send(`update bench_limit set finished_at = now(), output = '3' where id = any($1::uuid[])`, [
        ids(rows),
      ])
    },
    close: () => sql.end(),
  }
}
