/** Tables for messages and the statements of a message's way through them. */
export interface Design {
  readonly name: string
  readonly create: string
  readonly drop: string
  readonly vacuum: string
  /** Inserts `$1` messages with payload `$2`. */
  readonly insert: string
  /** Takes leases on `$1` messages; returns id and payload. */
  readonly claim: string
  /** Finishes the messages with the ids `$1`. */
  readonly finish: string
}

const due = `select id from messages where queue = 'q' and priority = 0 and finished_at is null and vt <= now()
  order by vt, id limit $1 for update skip locked`
const taken = `status = 'running', crashes = crashes + case when status = 'running' then 1 else 0 end, claims = claims + 1,
  due_at = vt, vt = now() + interval '30 seconds', lease_id = '3fa85f64-5717-4562-b3fc-2c963f66afa6',
  worker_id = '01930000-0000-7000-8000-000000000001', started_at = coalesce(started_at, now())`
const statuses = `check (status in ('queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled'))`

/** The table as it is. */
export const oneTable: Design = {
  name: 'one table',
  create: `create table messages (
      id uuid primary key, queue text not null, status text not null ${statuses}, priority int not null default 0,
      vt timestamptz not null, due_at timestamptz, key text, key_kept boolean not null default false, payload text not null,
      lease_id uuid, worker_id uuid, claims int not null default 0, failures int not null default 0,
      crashes int not null default 0, output text, error text, enqueued_at timestamptz not null, started_at timestamptz,
      finished_at timestamptz);
    create index on messages (queue, priority, vt, id) where finished_at is null;
    create unique index on messages (queue, key) where key is not null and (key_kept or finished_at is null);
    create index on messages (queue, status, finished_at, id) where finished_at is not null`,
  drop: 'drop table if exists messages',
  vacuum: 'vacuum messages',
  insert: `insert into messages (id, queue, status, vt, payload, enqueued_at)
    select uuidv7(), 'q', 'queued', now(), $2::text, now() from generate_series(1, $1::int)`,
  claim: `update messages set ${taken} where id = any(array(${due})) returning id, payload`,
  finish: `update messages set status = 'success', output = '1', finished_at = now()
    where id = any($1::text::uuid[]) and lease_id = '3fa85f64-5717-4562-b3fc-2c963f66afa6' and status in ('running', 'cancelling')
    returning id`,
}

/** What a claim changes apart from what it only reads: a message leaves the hot table when it finishes. */
export const split: Design = {
  name: 'split',
  create: `create table hot (
      id uuid primary key, queue text not null, status text not null ${statuses}, priority int not null default 0,
      vt timestamptz not null, due_at timestamptz, key text, key_kept boolean not null default false,
      lease_id uuid, worker_id uuid, claims int not null default 0, failures int not null default 0,
      crashes int not null default 0, started_at timestamptz);
    create index on hot (queue, priority, vt, id);
    create unique index on hot (queue, key) where key is not null;
    create table cold (
      id uuid primary key, queue text not null, payload text not null, enqueued_at timestamptz not null, status text,
      claims int, failures int, crashes int, started_at timestamptz, output text, error text, finished_at timestamptz);
    create index on cold (queue, status, finished_at, id) where finished_at is not null`,
  drop: 'drop table if exists hot, cold',
  vacuum: 'vacuum hot, cold',
  insert: `with made as materialized (select uuidv7() as id from generate_series(1, $1::int)),
    hotter as (insert into hot (id, queue, status, vt) select id, 'q', 'queued', now() from made)
    insert into cold (id, queue, payload, enqueued_at) select id, 'q', $2::text, now() from made`,
  claim: `with taken as (update hot set ${taken}
      where id = any(array(${due.replace('messages', 'hot').replace('and finished_at is null', '')})) returning id)
    select taken.id, cold.payload from taken join cold on cold.id = taken.id`,
  finish: `with gone as (
      delete from hot where id = any($1::text::uuid[]) and lease_id = '3fa85f64-5717-4562-b3fc-2c963f66afa6' and status in ('running', 'cancelling')
      returning hot.*)
    update cold set status = 'success', output = '1', finished_at = now(), claims = gone.claims, failures = gone.failures,
      crashes = gone.crashes, started_at = gone.started_at
    from gone where cold.id = gone.id returning cold.id`,
}
