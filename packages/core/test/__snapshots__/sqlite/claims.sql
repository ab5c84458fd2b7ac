-- claim
with recursive 
  wanted as (
  select w.queue, w.lease_ms, w.turn, w.priority, w.since
  from (select json_extract(value, '$.queue') as "queue", json_extract(value, '$.lease_ms') as "lease_ms", json_extract(value, '$.turn') as "turn", json_extract(value, '$.priority') as "priority", json_extract(value, '$.since') as "since" from json_each(?)) as "w"
  where (select q.paused_at from "pgqrs_queues" q where q.name = w.queue) is null
  ),
  lanes(queue, turn, priority, since) as (
  select w.queue, w.turn,
  coalesce(w.priority, (select m.priority from "pgqrs_messages" m
  where m.queue = w.queue and m.finished_at is null order by m.priority desc limit 1)), w.since
  from wanted w
  union all
  select l.queue, l.turn,
  (select m.priority from "pgqrs_messages" m
  where m.queue = l.queue and m.priority < l.priority and m.finished_at is null order by m.priority desc limit 1), null
  from lanes l where l.priority is not null and l.since is null
  ),
  claimable as (
  select c.value as id from (select * from lanes where priority is not null order by turn, priority desc limit 100000) l cross join json_each((select json_group_array(value) from (select m.id as value from "pgqrs_messages" m
  where m.queue = l.queue and m.priority = l.priority and m.finished_at is null and m.vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  and m.vt >= cast(coalesce(l.since, 0) as integer)
  order by m.vt, m.id limit (select cast(? as integer))))) as "c" limit (select cast(? as integer))
  )
  update "pgqrs_messages" set
  status = case when status = 'cancelling' then status else 'running' end,
  crashes = crashes + case when status = 'running' then 1 else 0 end,
  claims = claims + 1, due_at = vt,
  vt = (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast((select w.lease_ms from wanted w where w.queue = pgqrs_messages.queue) as integer)),
  lease_id = ?, worker_id = ?,
  started_at = coalesce(started_at, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)))
  where "id" in (select claimable.id from claimable)
  and pgqrs_messages.lease_id is distinct from ?
  returning pgqrs_messages.id, pgqrs_messages.queue, status, priority, payload, key, claims, failures, crashes,
  "due_at" as due_at, "vt" as vt,
  "enqueued_at" as enqueued_at, error, case when claims > 1 then (
  select nullif(json_group_array(json_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", "s"."wake_at", "s"."position", "s"."seen") order by "s"."position"), '[]')
  from "pgqrs_steps" s where s.run_id = pgqrs_messages.id) end as history;

-- recover
select pgqrs_messages.id, pgqrs_messages.queue, status, priority, payload, key, claims, failures, crashes,
  "due_at" as due_at, "vt" as vt,
  "enqueued_at" as enqueued_at, error, case when claims > 1 then (
  select nullif(json_group_array(json_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", "s"."wake_at", "s"."position", "s"."seen") order by "s"."position"), '[]')
  from "pgqrs_steps" s where s.run_id = pgqrs_messages.id) end as history from "pgqrs_messages" where lease_id = ?
  and finished_at is null and status in ('running', 'cancelling') and vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  and "queue" in (select value from json_each(?));

-- nextDue
with recursive 
  wanted as (
  select w.queue, w.lease_ms, w.turn, w.priority, w.since
  from (select json_extract(value, '$.queue') as "queue", json_extract(value, '$.lease_ms') as "lease_ms", json_extract(value, '$.turn') as "turn", json_extract(value, '$.priority') as "priority", json_extract(value, '$.since') as "since" from json_each(?)) as "w"
  where (select q.paused_at from "pgqrs_queues" q where q.name = w.queue) is null
  ),
  lanes(queue, turn, priority, since) as (
  select w.queue, w.turn,
  coalesce(w.priority, (select m.priority from "pgqrs_messages" m
  where m.queue = w.queue and m.finished_at is null order by m.priority desc limit 1)), w.since
  from wanted w
  union all
  select l.queue, l.turn,
  (select m.priority from "pgqrs_messages" m
  where m.queue = l.queue and m.priority < l.priority and m.finished_at is null order by m.priority desc limit 1), null
  from lanes l where l.priority is not null and l.since is null
  )
  select min((select m.vt from "pgqrs_messages" m
  where m.queue = l.queue and m.priority = l.priority and m.finished_at is null order by m.vt limit 1)) - coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) as wait_ms from lanes l where l.priority is not null;
