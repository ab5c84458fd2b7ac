-- record
insert into "app"."pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select r.run_id, r.name, r.kind, r.status, r.output, r.error, r.failures,
  coalesce(to_timestamp("r"."wake_at_ms"::float8 / 1000), (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."wake_in_ms"::float8 * interval '1 millisecond')),
  r.position, r.seen, coalesce(to_timestamp($2::float8 / 1000), statement_timestamp())
  from (select u."run_id" as "run_id", coalesce(u."lease_id", $3::uuid) as "lease_id", coalesce(u."name", $4::text) as "name", coalesce(u."kind", $5::text) as "kind", coalesce(u."status", $6::text) as "status", u."output" as "output", u."error" as "error", coalesce(u."failures", $7::integer) as "failures", u."wake_in_ms" as "wake_in_ms", u."wake_at_ms" as "wake_at_ms", coalesce(u."position", $8::integer) as "position", coalesce(u."seen", $9::integer) as "seen" from unnest((select $10::uuid[]), (select $11::uuid[]), (select $12::text[]), (select $13::text[]), (select $14::text[]), (select $15::text[]), (select $16::text[]), (select $17::integer[]), (select $18::double precision[]), (select $19::double precision[]), (select $20::integer[]), (select $21::integer[]))
  as u("run_id", "lease_id", "name", "kind", "status", "output", "error", "failures", "wake_in_ms", "wake_at_ms", "position", "seen")) as "r", "app"."pgqrs_messages" m
  where m.id = r.run_id and m.lease_id = r.lease_id and m.status in ('running', 'cancelling')
  for key share of m
  on conflict (run_id, name) do update set
  status = excluded.status, output = excluded.output, error = excluded.error, failures = excluded.failures,
  wake_at = excluded.wake_at, recorded_at = excluded.recorded_at
  where pgqrs_steps.status = 'retrying'
  returning run_id, name, (date_part('epoch', "wake_at") * 1000) as "wake_at",
  (select q.status from "app"."pgqrs_messages" q where q.id = pgqrs_steps.run_id) as run_status;

-- signal
insert into "app"."pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select m.id, $1, 'pause', 'success', $2, null, 0, null,
  (select coalesce(max(s.position), 0) + 1 from "app"."pgqrs_steps" s where s.run_id = m.id), cast($3 as integer), coalesce(to_timestamp($4::float8 / 1000), statement_timestamp())
  from "app"."pgqrs_messages" m where m.id = $5 and m.finished_at is null
  on conflict (run_id, name) do nothing returning name;

-- hold
select m.status from "app"."pgqrs_messages" m
  where m.id = $1 and m.lease_id = $2 and m.status in ('running', 'cancelling') for key share of m;

-- seize
select m.status from "app"."pgqrs_messages" m
  where m.id = $1 and m.lease_id = $2 and m.status in ('running', 'cancelling') for update of m;

-- history
select json_agg(json_build_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", (date_part('epoch', "s"."wake_at") * 1000), "s"."position", "s"."seen") order by "s"."position")::text as history
  from "app"."pgqrs_steps" s where s.run_id = $1;

-- list
select name, kind, status, output, error, failures, (date_part('epoch', "wake_at") * 1000) as "wake_at", (date_part('epoch', "recorded_at") * 1000) as "recorded_at"
  from "app"."pgqrs_steps" where run_id = $1 order by position, name;

-- forget
delete from "app"."pgqrs_steps" where run_id = $1 and name = $2 and status <> 'success'
  and exists (select 1 from "app"."pgqrs_messages" m where m.id = run_id and m.lease_id = $3
  and m.status in ('running', 'cancelling')) returning name;

-- forgetOfFailed
delete from "app"."pgqrs_steps" where run_id = $1 and name = $2 and status <> 'success'
  and exists (select 1 from "app"."pgqrs_messages" m where m.id = run_id and m.status = 'error') returning name;
