-- statement 1
create table if not exists "pgqrs_migrations" ("version" integer not null, "name" text not null, "compatible_from" integer not null, "applied_at" integer not null, primary key ("version"));

-- statement 2
create table if not exists "pgqrs_messages" ("id" text not null, "queue" text not null, "status" text not null check ("status" in ('queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled')), "priority" integer not null default 0, "vt" integer not null, "due_at" integer, "key" text, "key_kept" integer not null default false, "payload" text not null, "lease_id" text, "worker_id" text, "claims" integer not null default 0, "failures" integer not null default 0, "crashes" integer not null default 0, "output" text, "error" text, "enqueued_at" integer not null, "started_at" integer, "finished_at" integer, primary key ("id"));

-- statement 3
create table if not exists "pgqrs_steps" ("run_id" text not null, "name" text not null, "kind" text not null check ("kind" in ('step', 'transaction', 'sleep', 'pause', 'timer')), "status" text not null check ("status" in ('success', 'error', 'retrying')), "output" text, "error" text, "failures" integer not null default 0, "wake_at" integer, "position" integer not null, "seen" integer not null, "recorded_at" integer not null, primary key ("run_id", "name"));

-- statement 4
create table if not exists "pgqrs_queues" ("name" text not null, "kind" text not null check ("kind" in ('queue', 'workflow')), "paused_at" integer, "created_at" integer not null, primary key ("name"));

-- statement 5
create table if not exists "pgqrs_workers" ("id" text not null, "name" text not null, "host" text not null, "pid" integer not null, "queues" text not null, "status" text not null check ("status" in ('ready', 'polling', 'suspended', 'interrupted', 'stopped')), "started_at" integer not null, "heartbeat_at" integer not null, "stopped_at" integer, primary key ("id"));

-- statement 6
create table if not exists "pgqrs_tallies" ("queue" text not null, "status" text not null, "shard" integer not null, "n" integer not null, primary key ("queue", "status", "shard"));

-- statement 7
create index if not exists pgqrs_messages_claim on pgqrs_messages (queue, priority, vt, id) where finished_at is null;

-- statement 8
create unique index if not exists pgqrs_messages_key on pgqrs_messages (queue, key) where key is not null and (key_kept or finished_at is null);

-- statement 9
create index if not exists pgqrs_messages_finished on pgqrs_messages (queue, status, finished_at, id) where finished_at is not null;

-- statement 10
create trigger if not exists pgqrs_messages_finish after update of finished_at on pgqrs_messages when old.finished_at is null and new.finished_at is not null begin insert into pgqrs_tallies (queue, status, shard, n) values (new.queue, new.status, 0, 1) on conflict (queue, status, shard) do update set n = n + (1); end;

-- statement 11
create trigger if not exists pgqrs_messages_reopen after update of finished_at on pgqrs_messages when old.finished_at is not null and new.finished_at is null begin insert into pgqrs_tallies (queue, status, shard, n) values (old.queue, old.status, 0, -1) on conflict (queue, status, shard) do update set n = n + (-1); end;

-- statement 12
create trigger if not exists pgqrs_messages_remove after delete on pgqrs_messages when old.finished_at is not null begin insert into pgqrs_tallies (queue, status, shard, n) values (old.queue, old.status, 0, -1) on conflict (queue, status, shard) do update set n = n + (-1); end;

-- statement 13
drop table if exists "pgqrs_migrations";

-- statement 14
drop table if exists "pgqrs_messages";

-- statement 15
drop table if exists "pgqrs_steps";

-- statement 16
drop table if exists "pgqrs_queues";

-- statement 17
drop table if exists "pgqrs_workers";

-- statement 18
drop table if exists "pgqrs_tallies";
