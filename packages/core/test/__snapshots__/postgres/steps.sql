-- record
insert into "app"."pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select r.run_id, r.name, r.kind, r.status, r.output, r.error, r.failures,
  coalesce(to_timestamp("r"."wake_at_ms"::float8 / 1000), (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + "r"."wake_in_ms"::float8 * interval '1 millisecond')),
  r.position, r.seen, coalesce(to_timestamp($2::float8 / 1000), statement_timestamp())
  from unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::integer[], $11::double precision[], $12::double precision[], $13::integer[], $14::integer[]) as "r"("run_id", "lease_id", "name", "kind", "status", "output", "error", "failures", "wake_in_ms", "wake_at_ms", "position", "seen"), "app"."pgqrs_messages" m
  where m.id = r.run_id and m.lease_id = r.lease_id and m.status in ('running', 'cancelling')
  for key share of m
  on conflict (run_id, name) do update set
  status = excluded.status, output = excluded.output, error = excluded.error, failures = excluded.failures,
  wake_at = excluded.wake_at, recorded_at = excluded.recorded_at
  where pgqrs_steps.status = 'retrying'
  returning run_id, name, (extract(epoch from "wake_at") * 1000)::float8 as "wake_at",
  (select q.status from "app"."pgqrs_messages" q where q.id = pgqrs_steps.run_id) as run_status;

-- signal
insert into "app"."pgqrs_steps" (run_id, name, kind, status, output, error, failures, wake_at, position, seen, recorded_at)
  select m.id, $1, 'pause', 'success', $2, null, 0, null,
  (select coalesce(max(s.position), 0) + 1 from "app"."pgqrs_steps" s where s.run_id = m.id), -1, coalesce(to_timestamp($3::float8 / 1000), statement_timestamp())
  from "app"."pgqrs_messages" m where m.id = $4 and m.finished_at is null
  on conflict (run_id, name) do nothing returning name;

-- hold
select m.status from "app"."pgqrs_messages" m
  where m.id = $1 and m.lease_id = $2 and m.status in ('running', 'cancelling') for key share of m;

-- seize
select m.status from "app"."pgqrs_messages" m
  where m.id = $1 and m.lease_id = $2 and m.status in ('running', 'cancelling') for update of m;

-- history
select json_agg(json_build_array("s"."name", "s"."kind", "s"."status", "s"."output", "s"."error", "s"."failures", (extract(epoch from "s"."wake_at") * 1000)::float8, "s"."position", "s"."seen") order by "s"."position")::text as history
  from "app"."pgqrs_steps" s where s.run_id = $1;

-- list
select name, kind, status, output, error, failures, (extract(epoch from "wake_at") * 1000)::float8 as "wake_at", (extract(epoch from "recorded_at") * 1000)::float8 as "recorded_at"
  from "app"."pgqrs_steps" where run_id = $1 order by position, name;

-- forget
delete from "app"."pgqrs_steps" where run_id = $1 and name = $2 and status <> 'success'
  and exists (select 1 from "app"."pgqrs_messages" m where m.id = run_id and m.lease_id = $3
  and m.status in ('running', 'cancelling')) returning name;

-- forgetOfFailed
delete from "app"."pgqrs_steps" where run_id = $1 and name = $2 and status <> 'success'
  and exists (select 1 from "app"."pgqrs_messages" m where m.id = run_id and m.status = 'error') returning name;
