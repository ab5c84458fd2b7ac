import { accounts, BALANCE, lists } from '../load/payloads.js'

/** Tables of the load's user, in SQL that every database knows. */
export function userTables(): string[] {
  return [
    'create table chaos_accounts (account text primary key, balance integer not null)',
    `create table chaos_witnesses (run text, step text, witness text, from_account text, to_account text,
      amount integer, value text)`,
    'create table chaos_lists (list text primary key, elements text not null)',
    ...accounts.map((name) => `insert into chaos_accounts values ('${name}', ${BALANCE})`),
    ...lists.map((name) => `insert into chaos_lists values ('${name}', '')`),
  ]
}

const messageColumns = {
  queue: 'queue',
  status: 'status',
  vt: 'vt',
  lease: 'lease_id',
  worker: 'worker_id',
  claims: 'claims',
  failures: 'failures',
  crashes: 'crashes',
  priority: 'priority',
  key: 'key',
  keyKept: 'key_kept',
  finishedAt: 'finished_at',
  payload: 'payload',
  output: 'output',
  error: 'error',
}
const stepColumns = {
  of: 'kind',
  status: 'status',
  output: 'output',
  error: 'error',
  failures: 'failures',
  wakeAt: 'wake_at',
  position: 'position',
}
const times = ['vt', 'finished_at', 'wake_at']
const events = ['insert', 'update', 'delete'] as const

/** Fields of a row under the names the checker knows, with each column turned into what JSON can hold. */
function fields(row: string, columns: Record<string, string>, cell: (column: string) => string): string {
  return Object.entries(columns)
    .map(([name, column]) => `'${name}', ${cell(`${row}.${column}`)}`)
    .join(', ')
}

/** A table that every change of a message or a checkpoint leaves a row in, in the transaction of the change. */
export function sqliteLog(): string[] {
  const cell = (column: string): string =>
    column.endsWith('key_kept') ? `json(case when ${column} then 'true' else 'false' end)` : column
  const json = (row: string, columns: Record<string, string>): string =>
    `json_object(${fields(row, columns, cell)})`
  const trigger = (
    table: string,
    event: (typeof events)[number],
    what: string,
    columns: Record<string, string>,
    keys: (row: string) => string,
  ): string => {
    const row = event === 'delete' ? 'old' : 'new'
    const before = event === 'insert' ? 'null' : json('old', columns)
    const after = event === 'delete' ? 'null' : json('new', columns)
    return `create trigger chaos_${what}_${event} after ${event} on ${table} begin
      insert into chaos_log (at, what, before, after, id, step, run_lease, run_status)
      values (cast(unixepoch('subsec') * 1000 as integer), '${what}', ${before}, ${after}, ${keys(row)}); end`
  }
  const run = (column: string, row: string): string =>
    `(select m.${column} from pgqrs_messages m where m.id = ${row}.run_id)`
  return [
    `create table chaos_log (seq integer primary key autoincrement, at integer not null, tx text, what text not null,
      id text not null, step text, before text, after text, run_lease text, run_status text)`,
    ...events.map((event) =>
      trigger('pgqrs_messages', event, 'message', messageColumns, (row) => `${row}.id, null, null, null`),
    ),
    ...events.map((event) =>
      trigger(
        'pgqrs_steps',
        event,
        'checkpoint',
        stepColumns,
        (row) => `${row}.run_id, ${row}.name, ${run('lease_id', row)}, ${run('status', row)}`,
      ),
    ),
  ]
}

/** The same for Postgres. */
export function postgresLog(): string[] {
  const cell = (column: string): string =>
    times.some((time) => column.endsWith(`.${time}`))
      ? `(extract(epoch from ${column}) * 1000)::float8`
      : column
  const state = (name: string, table: string, columns: Record<string, string>): string =>
    `create function ${name}(m ${table}) returns text language sql stable as
      $$ select case when m is null then null else json_build_object(${fields('m', columns, cell)})::text end $$`
  const logger = (what: string, table: string, keys: string): string =>
    `create function chaos_log_${what}() returns trigger language plpgsql as $$
      declare m ${table};
      begin
        if tg_op = 'DELETE' then m := old; else m := new; end if;
        insert into chaos_log (at, tx, what, before, after, id, step, run_lease, run_status)
          select extract(epoch from clock_timestamp()) * 1000, txid_current()::text, '${what}',
            case when tg_op = 'INSERT' then null else chaos_state_${what}(old) end,
            case when tg_op = 'DELETE' then null else chaos_state_${what}(new) end, ${keys};
        return null;
      end $$`
  const run = (column: string): string => `(select r.${column} from pgqrs_messages r where r.id = m.run_id)`
  const watch = (what: string, table: string): string =>
    `create trigger chaos_${what} after insert or update or delete on ${table}
      for each row execute function chaos_log_${what}()`
  return [
    `create table chaos_log (seq bigserial primary key, at double precision not null, tx text, what text not null,
      id text not null, step text, before text, after text, run_lease text, run_status text)`,
    state('chaos_state_message', 'pgqrs_messages', messageColumns),
    state('chaos_state_checkpoint', 'pgqrs_steps', stepColumns),
    logger('message', 'pgqrs_messages', 'm.id::text, null, null, null'),
    logger('checkpoint', 'pgqrs_steps', `m.run_id::text, m.name, ${run('lease_id')}::text, ${run('status')}`),
    watch('message', 'pgqrs_messages'),
    watch('checkpoint', 'pgqrs_steps'),
  ]
}

/** What the checker calls a message's state, selected from `pgqrs_messages m`. */
export function messageState(family: 'postgres' | 'sqlite'): string {
  return family === 'postgres'
    ? 'chaos_state_message(m)'
    : `json_object(${sqliteFields('m', messageColumns)})`
}

/** What the checker calls a checkpoint's state, selected from `pgqrs_steps m`. */
export function checkpointState(family: 'postgres' | 'sqlite'): string {
  return family === 'postgres'
    ? 'chaos_state_checkpoint(m)'
    : `json_object(${sqliteFields('m', stepColumns)})`
}

function sqliteFields(row: string, columns: Record<string, string>): string {
  return fields(row, columns, (column) =>
    column.endsWith('key_kept') ? `json(case when ${column} then 'true' else 'false' end)` : column,
  )
}
