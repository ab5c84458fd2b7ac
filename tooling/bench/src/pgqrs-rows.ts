import postgres from 'postgres'
import type { BenchDatabase } from './system.js'

type What = 'archived' | 'ready' | 'delayed' | 'leased'

const anHour = `now() + interval '1 hour'`

/** The columns in which a message that is there already differs. */
const columns: Record<What, string> = {
  archived: `'success', now(), null, null, 1, now(), now()`,
  // Of the same queue and behind the work: it must not be walked over to find what is due first.
  ready: `'queued', now() + interval '1 minute' * 0, null, null, 0, null, null`,
  delayed: `'queued', ${anHour}, null, null, 0, null, null`,
  leased: `'running', ${anHour}, gen_random_uuid(), gen_random_uuid(), 1, now(), null`,
}

/** Where they are: what is ready has another queue, everything else the one that is worked on. */
const queueOf: Record<What, string> = {
  archived: 'bench',
  ready: 'bench_other',
  delayed: 'bench',
  leased: 'bench',
}

const chunk = 250_000

/** Puts rows beside the work, as the engine would have left them. Postgres only. */
export async function growPgqrs(database: BenchDatabase, what: What, count: number): Promise<void> {
  if (database.store !== 'postgres') throw new Error('tables are grown on Postgres only')
  const sql = postgres(database.dsn, { max: 1, onnotice: () => undefined })
  try {
    for (let done = 0; done < count; done += chunk) {
      const size = Math.min(chunk, count - done)
      // Ids rise with time, as UUIDv7 does, so that pages of the primary key fill in order.
      await sql.unsafe(`
        insert into pgqrs_messages
          (id, queue, payload, enqueued_at, priority, status, vt, lease_id, worker_id, claims, started_at, finished_at)
        select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
          '${queueOf[what]}', '{"n":' || lpad(i::text, 9, '1') || ',"kind":"none","steps":0,"text":"' || repeat('x', 32) || '"}',
          now(), 0, ${columns[what]}
        from generate_series(1, ${size}) i`)
    }
    if (what === 'archived') await countArchived(sql, count)
    await sql.unsafe('vacuum analyze pgqrs_messages')
  } finally {
    await sql.end()
  }
}

async function countArchived(sql: postgres.Sql, count: number): Promise<void> {
  await sql`insert into pgqrs_tallies (queue, status, shard, n) values ('bench', 'success', 0, ${count})
    on conflict (queue, status, shard) do update set n = pgqrs_tallies.n + excluded.n`
}
