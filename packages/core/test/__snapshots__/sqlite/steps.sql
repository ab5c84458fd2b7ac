-- record
insert into "pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select r.run_id, r.name, r.kind, r.status, r.output, r.error, r.failures,
  coalesce(cast("r"."wake_at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."wake_in_ms" as integer))),
  r.position, r.seen, coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  from (select ? as "run_id", ? as "lease_id", ? as "name", ? as "kind", ? as "status", ? as "output", ? as "error", ? as "failures", ? as "wake_in_ms", ? as "wake_at_ms", ? as "position", ? as "seen") as "r", "pgqrs_messages" m
  where m.id = r.run_id and m.lease_id = r.lease_id and m.status in ('running', 'cancelling')
  on conflict (run_id, name) do update set
  status = excluded.status, output = excluded.output, error = excluded.error, failures = excluded.failures,
  wake_at = excluded.wake_at, recorded_at = excluded.recorded_at
  where pgqrs_steps.status = 'retrying'
  returning run_id, name, "wake_at" as "wake_at",
  (select q.status from "pgqrs_messages" q where q.id = pgqrs_steps.run_id) as run_status;

-- signal
insert into "pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select m.id, ?, 'pause', 'success', ?, null, 0, null,
  (select coalesce(max(s.position), 0) + 1 from "pgqrs_steps" s where s.run_id = m.id), cast(? as integer), coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  from "pgqrs_messages" m where m.id = ? and m.finished_at is null
  on conflict (run_id, name) do nothing returning name;

-- hold
select m.status from "pgqrs_messages" m
  where m.id = ? and m.lease_id = ? and m.status in ('running', 'cancelling');

-- seize
select m.status from "pgqrs_messages" m
  where m.id = ? and m.lease_id = ? and m.status in ('running', 'cancelling');

-- history
select nullif(json_group_array(json_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", "s"."wake_at", "s"."position", "s"."seen") order by "s"."position"), '[]') as history
  from "pgqrs_steps" s where s.run_id = ?;

-- list
select name, kind, status, output, error, failures, "wake_at" as "wake_at", "recorded_at" as "recorded_at"
  from "pgqrs_steps" where run_id = ? order by position, name;

-- forget
delete from "pgqrs_steps" where run_id = ? and name = ? and status <> 'success'
  and exists (select 1 from "pgqrs_messages" m where m.id = run_id and m.lease_id = ?
  and m.status in ('running', 'cancelling')) returning name;

-- forgetOfFailed
delete from "pgqrs_steps" where run_id = ? and name = ? and status <> 'success'
  and exists (select 1 from "pgqrs_messages" m where m.id = run_id and m.status = 'error') returning name;
