-- ensure
insert into "app"."pgqrs_queues" (name, kind, created_at) values ($1, $2, coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()))
  on conflict (name) do update set kind = excluded.kind where excluded.kind = 'workflow' and pgqrs_queues.kind = 'queue'
  returning name;

-- list
select name, kind, (date_part('epoch', "paused_at") * 1000) as "paused_at", (date_part('epoch', "created_at") * 1000) as "created_at" from "app"."pgqrs_queues" order by name;

-- pause
update "app"."pgqrs_queues" set paused_at = coalesce(paused_at, coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())) where name = $2 returning name, kind, (date_part('epoch', "paused_at") * 1000) as "paused_at", (date_part('epoch', "created_at") * 1000) as "created_at";

-- resume
update "app"."pgqrs_queues" set paused_at = null where name = $1 returning name, kind, (date_part('epoch', "paused_at") * 1000) as "paused_at", (date_part('epoch', "created_at") * 1000) as "created_at";

-- remove
delete from "app"."pgqrs_queues" where name = $1
  and not exists (select 1 from "app"."pgqrs_messages" m where m.queue = $2 and m.finished_at is null)
  returning name;

-- liveCounts
select queue,
  (count(*) filter (where vt <= coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())))::float8 as ready,
  (count(*) filter (where vt > coalesce(to_timestamp($2::float8 / 1000), statement_timestamp()) and status = 'queued'))::float8 as delayed,
  (count(*) filter (where vt > coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()) and status in ('running', 'cancelling')))::float8 as leased,
  (count(*) filter (where vt > coalesce(to_timestamp($4::float8 / 1000), statement_timestamp()) and status = 'paused'))::float8 as paused,
  (date_part('epoch', coalesce(to_timestamp($5::float8 / 1000), statement_timestamp())) * 1000) - (date_part('epoch', min(case when vt <= coalesce(to_timestamp($6::float8 / 1000), statement_timestamp()) then vt end)) * 1000) as oldest_ms
  from "app"."pgqrs_messages" where finished_at is null group by queue;

-- finishedCounts
select queue, status, (sum(n))::float8 as n from "app"."pgqrs_tallies" group by queue, status;

-- removeSomeSteps
delete from "app"."pgqrs_steps" where "run_id" = any(array(select id from "app"."pgqrs_messages" where queue = $1 and (
  ($2 = 1 and finished_at is null and (status in ('queued', 'paused') or vt <= coalesce(to_timestamp($3::float8 / 1000), statement_timestamp())))
  or (finished_at is not null and finished_at <= to_timestamp($4::float8 / 1000) and "status" = any(array(select json_array_elements_text($5::text::json)::text)))
  ) order by id limit $6)) returning run_id;

-- removeSome
with changed as (delete from "app"."pgqrs_messages" where "id" = any(array(select id from "app"."pgqrs_messages" where queue = $1 and (
  ($2 = 1 and finished_at is null and (status in ('queued', 'paused') or vt <= coalesce(to_timestamp($3::float8 / 1000), statement_timestamp())))
  or (finished_at is not null and finished_at <= to_timestamp($4::float8 / 1000) and "status" = any(array(select json_array_elements_text($5::text::json)::text)))
  ) order by id limit $6)) returning id, queue as tally_queue, status as tally_status), tally as (
  insert into "app"."pgqrs_tallies" as t (queue, status, shard, n)
  select tally_queue, tally_status, pg_backend_pid() % 64, -1 * count(*) from changed
  where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
  on conflict (queue, status, shard) do update set n = t.n + excluded.n
  ) select * from changed;
