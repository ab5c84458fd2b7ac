-- statement 1
create table if not exists "app"."pgqrs_migrations" ("version" integer not null, "name" text not null, "compatible_from" integer not null, "applied_at" timestamp with time zone not null, primary key ("version"));

-- statement 2
create table if not exists "app"."pgqrs_messages" ("id" uuid not null, "queue" text not null, "status" text not null check ("status" in ('queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled')), "priority" integer not null default 0, "vt" timestamp with time zone not null, "due_at" timestamp with time zone, "key" text, "key_kept" boolean not null default false, "payload" text not null, "lease_id" uuid, "worker_id" uuid, "claims" integer not null default 0, "failures" integer not null default 0, "crashes" integer not null default 0, "output" text, "error" text, "enqueued_at" timestamp with time zone not null, "started_at" timestamp with time zone, "finished_at" timestamp with time zone, primary key ("id"));

-- statement 3
create table if not exists "app"."pgqrs_steps" ("run_id" uuid not null, "name" text not null, "kind" text not null check ("kind" in ('step', 'transaction', 'sleep', 'pause', 'timer')), "status" text not null check ("status" in ('success', 'error', 'retrying')), "output" text, "error" text, "failures" integer not null default 0, "wake_at" timestamp with time zone, "position" integer not null, "seen" integer not null, "recorded_at" timestamp with time zone not null, primary key ("run_id", "name"));

-- statement 4
create table if not exists "app"."pgqrs_queues" ("name" text not null, "kind" text not null check ("kind" in ('queue', 'workflow')), "paused_at" timestamp with time zone, "created_at" timestamp with time zone not null, primary key ("name"));

-- statement 5
create table if not exists "app"."pgqrs_workers" ("id" uuid not null, "name" text not null, "host" text not null, "pid" integer not null, "queues" text not null, "status" text not null check ("status" in ('ready', 'polling', 'suspended', 'interrupted', 'stopped')), "started_at" timestamp with time zone not null, "heartbeat_at" timestamp with time zone not null, "stopped_at" timestamp with time zone, primary key ("id")) with (fillfactor = 50);

-- statement 6
create table if not exists "app"."pgqrs_tallies" ("queue" text not null, "status" text not null, "shard" integer not null, "n" bigint not null, primary key ("queue", "status", "shard")) with (fillfactor = 50);

-- statement 7
create index if not exists "pgqrs_messages_claim" on "app"."pgqrs_messages" (queue, priority, vt, id) where finished_at is null;

-- statement 8
create unique index if not exists "pgqrs_messages_key" on "app"."pgqrs_messages" (queue, key) where key is not null and (key_kept or finished_at is null);

-- statement 9
create index if not exists "pgqrs_messages_finished" on "app"."pgqrs_messages" (queue, status, finished_at, id) where finished_at is not null;

-- statement 10
drop table if exists "app"."pgqrs_migrations";

-- statement 11
drop table if exists "app"."pgqrs_messages";

-- statement 12
drop table if exists "app"."pgqrs_steps";

-- statement 13
drop table if exists "app"."pgqrs_queues";

-- statement 14
drop table if exists "app"."pgqrs_workers";

-- statement 15
drop table if exists "app"."pgqrs_tallies";
