/** What a statement of the engine is for, by what is unlike in its text; the first that fits. */
const patterns: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['claim', /^with recursive[\s\S]*update "pgqrs_messages"/],
  ['next-due', /^with recursive/],
  ['recover', /^select pgqrs_messages\.id/],
  ['hand-over', /^insert into "pgqrs_messages"[\s\S]* with handed as /],
  ['enqueue', /^insert into "pgqrs_messages"/],
  ['finish', /^update "pgqrs_messages" set\s+status = case when pgqrs_messages\.status[\s\S]*output = case/],
  ['release', /^update "pgqrs_messages" set\s+status = case when pgqrs_messages\.status/],
  ['extend', /^update "pgqrs_messages" set vt = \([\s\S]*lease_ms/],
  ['delete', /^delete from "pgqrs_messages" where id in \(select r\.id/],
  ['cancel', /^update "pgqrs_messages" set\s+status = case when status in/],
  ['wake', /^update "pgqrs_messages" set\s+status = case when status = 'paused'/],
  ['replay', /^update "pgqrs_messages" set status = 'queued'/],
  ['record', /^insert into "pgqrs_steps"[\s\S]*from \(select/],
  ['signal', /^insert into "pgqrs_steps"/],
  ['fence', /^select m\.status from "pgqrs_messages"/],
  ['history', /^select nullif/],
  ['forget', /^delete from "pgqrs_steps"/],
  ['outcomes', /^select id, queue, status, output, error from/],
  ['cancelling', /^select id, lease_id from "pgqrs_messages"/],
  ['look', /^select id, queue/],
  ['know-queue', /^insert into "pgqrs_queues"/],
  ['version', /"pgqrs_migrations"/],
  ['register', /^insert into "pgqrs_workers"/],
  ['heartbeat', /^update "pgqrs_workers" set heartbeat_at/],
  ['move', /^update "pgqrs_workers"/],
]

const known = new Map<string, string>()

/** A short name for a statement of the engine: `claim`, `record` …; `other` for what has none. */
export function nameOf(sql: string): string {
  let name = known.get(sql)
  if (name === undefined) {
    const text = sql.trim()
    name = patterns.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other'
    known.set(sql, name)
  }
  return name
}
