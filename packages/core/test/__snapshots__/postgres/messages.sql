-- enqueue
insert into "app"."pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(to_timestamp("r"."at_ms"::float8 / 1000), (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."delay_ms"::float8 * interval '1 millisecond')),
  r.key, r.key_kept, r.payload, coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) from (select u."id" as "id", coalesce(u."queue", $3::text) as "queue", coalesce(u."priority", $4::integer) as "priority", coalesce(u."delay_ms", $5::double precision) as "delay_ms", u."at_ms" as "at_ms", u."key" as "key", coalesce(u."key_kept", $6::boolean) as "key_kept", coalesce(u."payload", $7::text) as "payload" from unnest((select $8::uuid[]), (select $9::text[]), (select $10::integer[]), (select $11::double precision[]), (select $12::double precision[]), (select $13::text[]), (select $14::boolean[]), (select $15::text[]))
  as u("id", "queue", "priority", "delay_ms", "at_ms", "key", "key_kept", "payload")) as "r" where true on conflict do nothing returning id;

-- enqueueStrictly
insert into "app"."pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(to_timestamp("r"."at_ms"::float8 / 1000), (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."delay_ms"::float8 * interval '1 millisecond')),
  r.key, r.key_kept, r.payload, coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) from (select u."id" as "id", coalesce(u."queue", $3::text) as "queue", coalesce(u."priority", $4::integer) as "priority", coalesce(u."delay_ms", $5::double precision) as "delay_ms", u."at_ms" as "at_ms", u."key" as "key", coalesce(u."key_kept", $6::boolean) as "key_kept", coalesce(u."payload", $7::text) as "payload" from unnest((select $8::uuid[]), (select $9::text[]), (select $10::integer[]), (select $11::double precision[]), (select $12::double precision[]), (select $13::text[]), (select $14::boolean[]), (select $15::text[]))
  as u("id", "queue", "priority", "delay_ms", "at_ms", "key", "key_kept", "payload")) as "r" where true;

-- enqueueHanded
insert into "app"."pgqrs_messages" as pgqrs_messages (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at,
  due_at, claims, lease_id, worker_id, started_at)
  with handed as materialized (
  select r.*, case when r.lease_id is not null and (select q.paused_at from "app"."pgqrs_queues" q where q.name = r.queue) is null
  and coalesce((select m.priority from "app"."pgqrs_messages" m where m.queue = r.queue and m.finished_at is null
  order by m.priority desc limit 1), r.priority) <= r.priority
  and (select m.id from "app"."pgqrs_messages" m where m.queue = r.queue and m.priority = r.priority
  and m.finished_at is null and m.vt <= coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) order by m.vt limit 1) is null then r.lease_id end as granted from (select u."id" as "id", coalesce(u."queue", $2::text) as "queue", coalesce(u."priority", $3::integer) as "priority", coalesce(u."delay_ms", $4::double precision) as "delay_ms", u."at_ms" as "at_ms", u."key" as "key", coalesce(u."key_kept", $5::boolean) as "key_kept", coalesce(u."payload", $6::text) as "payload", u."lease_id" as "lease_id", u."lease_ms" as "lease_ms", u."worker_id" as "worker_id" from unnest((select $7::uuid[]), (select $8::text[]), (select $9::integer[]), (select $10::double precision[]), (select $11::double precision[]), (select $12::text[]), (select $13::boolean[]), (select $14::text[]), (select $15::uuid[]), (select $16::double precision[]), (select $17::uuid[]))
  as u("id", "queue", "priority", "delay_ms", "at_ms", "key", "key_kept", "payload", "lease_id", "lease_ms", "worker_id")) as "r"
  )
  select h.id, h.queue, case when h.granted is null then 'queued' else 'running' end, h.priority,
  case when h.granted is null
  then coalesce(to_timestamp("h"."at_ms"::float8 / 1000), (coalesce(to_timestamp($18::float8 / 1000), statement_timestamp()) + "h"."delay_ms"::float8 * interval '1 millisecond'))
  else (coalesce(to_timestamp($19::float8 / 1000), statement_timestamp()) + "h"."lease_ms"::float8 * interval '1 millisecond') end,
  h.key, h.key_kept, h.payload, coalesce(to_timestamp($20::float8 / 1000), statement_timestamp()), case when h.granted is not null then coalesce(to_timestamp($21::float8 / 1000), statement_timestamp()) end,
  case when h.granted is null then 0 else 1 end, h.granted, case when h.granted is not null then h.worker_id end,
  case when h.granted is not null then coalesce(to_timestamp($22::float8 / 1000), statement_timestamp()) end
  from handed h where true
  on conflict do nothing
  returning id, lease_id, (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at";

-- enqueueOrReplace
insert into "app"."pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(to_timestamp("r"."at_ms"::float8 / 1000), (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."delay_ms"::float8 * interval '1 millisecond')),
  r.key, r.key_kept, r.payload, coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) from (select u."id" as "id", coalesce(u."queue", $3::text) as "queue", coalesce(u."priority", $4::integer) as "priority", coalesce(u."delay_ms", $5::double precision) as "delay_ms", u."at_ms" as "at_ms", u."key" as "key", coalesce(u."key_kept", $6::boolean) as "key_kept", coalesce(u."payload", $7::text) as "payload" from unnest((select $8::uuid[]), (select $9::text[]), (select $10::integer[]), (select $11::double precision[]), (select $12::double precision[]), (select $13::text[]), (select $14::boolean[]), (select $15::text[]))
  as u("id", "queue", "priority", "delay_ms", "at_ms", "key", "key_kept", "payload")) as "r" where not exists (select 1 from "app"."pgqrs_messages" m where m.id = r.id)
  on conflict (queue, key) where key is not null and (key_kept or finished_at is null)
  do update set payload = excluded.payload, priority = excluded.priority, vt = excluded.vt
  where pgqrs_messages.status = 'queued' returning id, key;

-- holdersOfKeys
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at", (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "finished_at") * 1000) as "finished_at"
  from json_to_recordset($1::text::json) as "k"("of_queue" text, "of_key" text) cross join "app"."pgqrs_messages"
  where queue = k.of_queue and key = k.of_key and key is not null and (key_kept or finished_at is null);

-- finish
with changed as (update "app"."pgqrs_messages" set
  status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
  output = case when pgqrs_messages.status = 'cancelling' then null else r.output end,
  error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else r.error end,
  failures = failures + r.failed, finished_at = coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())
  from (select u."id" as "id", coalesce(u."lease_id", $2::uuid) as "lease_id", coalesce(u."status", $3::text) as "status", u."output" as "output", u."error" as "error", coalesce(u."failed", $4::integer) as "failed" from unnest((select $5::uuid[]), (select $6::uuid[]), (select $7::text[]), (select $8::text[]), (select $9::text[]), (select $10::integer[]))
  as u("id", "lease_id", "status", "output", "error", "failed")) as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling')
  returning pgqrs_messages.id, pgqrs_messages.status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, 1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;

-- cancelling
select id, lease_id from "app"."pgqrs_messages"
  where "id" = any(array(select json_array_elements_text($1::text::json)::uuid)) and status = 'cancelling';

-- release
with changed as (update "app"."pgqrs_messages" set
  status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
  finished_at = case when pgqrs_messages.status = 'cancelling' then coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) end,
  error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else coalesce(r.error, pgqrs_messages.error) end,
  failures = failures + r.failed,
  vt = coalesce(to_timestamp("r"."at_ms"::float8 / 1000), (coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) + "r"."delay_ms"::float8 * interval '1 millisecond'))
  from (select u."id" as "id", coalesce(u."lease_id", $3::uuid) as "lease_id", coalesce(u."status", $4::text) as "status", coalesce(u."delay_ms", $5::double precision) as "delay_ms", u."at_ms" as "at_ms", u."error" as "error", coalesce(u."failed", $6::integer) as "failed", u."unless_steps" as "unless_steps" from unnest((select $7::uuid[]), (select $8::uuid[]), (select $9::text[]), (select $10::double precision[]), (select $11::double precision[]), (select $12::text[]), (select $13::integer[]), (select $14::text[]))
  as u("id", "lease_id", "status", "delay_ms", "at_ms", "error", "failed", "unless_steps")) as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling') and (r.unless_steps is null or not exists (
  select 1 from "app"."pgqrs_steps" s where s.run_id = r.id and "s"."name" = any(array(select json_array_elements_text("r"."unless_steps"::text::json)::text))))
  returning pgqrs_messages.id, pgqrs_messages.status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, 1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;

-- extend
update "app"."pgqrs_messages" set vt = (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."lease_ms"::float8 * interval '1 millisecond')
  from (select u."id" as "id", coalesce(u."lease_id", $2::uuid) as "lease_id", coalesce(u."lease_ms", $3::double precision) as "lease_ms" from unnest((select $4::uuid[]), (select $5::uuid[]), (select $6::double precision[]))
  as u("id", "lease_id", "lease_ms")) as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling') and pgqrs_messages.vt > coalesce(to_timestamp($7::float8 / 1000), statement_timestamp())
  returning pgqrs_messages.id, pgqrs_messages.status, (date_part('epoch', "vt") * 1000) as "vt";

-- remove
delete from "app"."pgqrs_messages" where (id, lease_id) in (select r.id, r.lease_id from (select u."id" as "id", coalesce(u."lease_id", $1::uuid) as "lease_id" from unnest((select $2::uuid[]), (select $3::uuid[]))
  as u("id", "lease_id")) as "r")
  and status in ('running', 'cancelling') returning id;

-- removeUncancelled
delete from "app"."pgqrs_messages" where (id, lease_id) in (select r.id, r.lease_id from (select u."id" as "id", coalesce(u."lease_id", $1::uuid) as "lease_id" from unnest((select $2::uuid[]), (select $3::uuid[]))
  as u("id", "lease_id")) as "r")
  and status in ('running') returning id;

-- cancel
with changed as (update "app"."pgqrs_messages" set
  status = case when status in ('running', 'cancelling') and vt > coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) then 'cancelling' else 'cancelled' end,
  finished_at = case when status in ('running', 'cancelling') and vt > coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) then null else coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()) end,
  error = case when status = 'cancelling' then error else $4 end
  where "id" = any(array(select json_array_elements_text($5::text::json)::uuid)) and finished_at is null
  returning id, queue, status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, 1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;

-- archive
with changed as (update "app"."pgqrs_messages" set status = case when status = 'cancelling' then 'cancelled' else 'success' end, finished_at = coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())
  where "id" = any(array(select json_array_elements_text($2::text::json)::uuid)) and finished_at is null
  and (status in ('queued', 'paused') or vt <= coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()))
  returning id, queue, status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, 1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;

-- reclaim
update "app"."pgqrs_messages" set vt = coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())
  where finished_at is null and status in ('running', 'cancelling') and vt > coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) and worker_id in (
  select w.id from "app"."pgqrs_workers" w
  where w.heartbeat_at <= (coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()) + -1 * $4::float8 * interval '1 millisecond'))
  returning id, queue;

-- wake
update "app"."pgqrs_messages" set
  status = case when status = 'paused' then 'queued' else status end,
  vt = case when status = 'paused' then coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) else vt end
  where id = $2 and finished_at is null returning id, queue, status;

-- replay
with changed as (update "app"."pgqrs_messages" set status = 'queued', vt = coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()), failures = 0, crashes = 0,
  error = null, output = null, finished_at = null, lease_id = null, worker_id = null
  where "id" = any(array(select json_array_elements_text($2::text::json)::uuid)) and status = 'error'
  returning id, queue, queue as tally_queue, 'error' as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, -1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;

-- get
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at", (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "finished_at") * 1000) as "finished_at" from "app"."pgqrs_messages" where "id" = any(array(select json_array_elements_text($1::text::json)::uuid));

-- outcomes
select id, queue, status, output, error from "app"."pgqrs_messages"
  where "id" = any(array(select json_array_elements_text($1::text::json)::uuid)) and finished_at is not null
  union all select id, queue, status, output, error from "app"."pgqrs_messages"
  where "id" = any(array(select json_array_elements_text($2::text::json)::uuid));
