-- claim
with recursive 
  wanted as (
  select w.queue, w.lease_ms, w.turn, w.priority, w.since
  from json_to_recordset($1::text::json) as "w"("queue" text, "lease_ms" double precision, "turn" integer, "priority" integer, "since" double precision)
  where (select q.paused_at from "app"."pgqrs_queues" q where q.name = w.queue) is null
  ),
  lanes(queue, turn, priority, since) as (
  select w.queue, w.turn,
  coalesce(w.priority, (select m.priority from "app"."pgqrs_messages" m
  where m.queue = w.queue and m.finished_at is null order by m.priority desc limit 1)), w.since
  from wanted w
  union all
  select l.queue, l.turn,
  (select m.priority from "app"."pgqrs_messages" m
  where m.queue = l.queue and m.priority < l.priority and m.finished_at is null order by m.priority desc limit 1), null
  from lanes l where l.priority is not null and l.since is null
  ),
  claimable as (
  select c.value as id from (select * from lanes where priority is not null order by turn, priority desc limit 100000) l cross join lateral (select m.id as value from "app"."pgqrs_messages" m
  where m.queue = l.queue and m.priority = l.priority and m.finished_at is null and m.vt <= coalesce(to_timestamp($2::float8 / 1000), statement_timestamp())
  and m.vt >= to_timestamp(coalesce(l.since, 0)::float8 / 1000)
  order by m.vt, m.id limit (select cast($3 as integer)) for update skip locked) as "c" limit (select cast($4 as integer))
  )
  update "app"."pgqrs_messages" set
  status = case when status = 'cancelling' then status else 'running' end,
  crashes = crashes + case when status = 'running' then 1 else 0 end,
  claims = claims + 1, due_at = vt,
  vt = (coalesce(to_timestamp($5::float8 / 1000), statement_timestamp()) + (select w.lease_ms from wanted w where w.queue = pgqrs_messages.queue)::float8 * interval '1 millisecond'),
  lease_id = $6, worker_id = $7,
  started_at = coalesce(started_at, coalesce(to_timestamp($8::float8 / 1000), statement_timestamp()))
  where "id" = any(array(select claimable.id from claimable))
  and pgqrs_messages.lease_id is distinct from $9
  returning pgqrs_messages.id, pgqrs_messages.queue, status, priority, payload, key, claims, failures, crashes,
  (date_part('epoch', "due_at") * 1000) as due_at, (date_part('epoch', "vt") * 1000) as vt,
  (date_part('epoch', "enqueued_at") * 1000) as enqueued_at, error, case when claims > 1 then (
  select json_agg(json_build_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", (date_part('epoch', "s"."wake_at") * 1000), "s"."position", "s"."seen") order by "s"."position")::text
  from "app"."pgqrs_steps" s where s.run_id = pgqrs_messages.id) end as history;

-- recover
select pgqrs_messages.id, pgqrs_messages.queue, status, priority, payload, key, claims, failures, crashes,
  (date_part('epoch', "due_at") * 1000) as due_at, (date_part('epoch', "vt") * 1000) as vt,
  (date_part('epoch', "enqueued_at") * 1000) as enqueued_at, error, case when claims > 1 then (
  select json_agg(json_build_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", (date_part('epoch', "s"."wake_at") * 1000), "s"."position", "s"."seen") order by "s"."position")::text
  from "app"."pgqrs_steps" s where s.run_id = pgqrs_messages.id) end as history from "app"."pgqrs_messages" where lease_id = $1
  and finished_at is null and status in ('running', 'cancelling') and vt > coalesce(to_timestamp($2::float8 / 1000), statement_timestamp())
  and "queue" = any(array(select json_array_elements_text($3::text::json)::text));

-- nextDue
with recursive 
  wanted as (
  select w.queue, w.lease_ms, w.turn, w.priority, w.since
  from json_to_recordset($1::text::json) as "w"("queue" text, "lease_ms" double precision, "turn" integer, "priority" integer, "since" double precision)
  where (select q.paused_at from "app"."pgqrs_queues" q where q.name = w.queue) is null
  ),
  lanes(queue, turn, priority, since) as (
  select w.queue, w.turn,
  coalesce(w.priority, (select m.priority from "app"."pgqrs_messages" m
  where m.queue = w.queue and m.finished_at is null order by m.priority desc limit 1)), w.since
  from wanted w
  union all
  select l.queue, l.turn,
  (select m.priority from "app"."pgqrs_messages" m
  where m.queue = l.queue and m.priority < l.priority and m.finished_at is null order by m.priority desc limit 1), null
  from lanes l where l.priority is not null and l.since is null
  )
  select min((date_part('epoch', (select m.vt from "app"."pgqrs_messages" m
  where m.queue = l.queue and m.priority = l.priority and m.finished_at is null order by m.vt limit 1)) * 1000)) - (date_part('epoch', coalesce(to_timestamp($2::float8 / 1000), statement_timestamp())) * 1000) as wait_ms from lanes l where l.priority is not null;
