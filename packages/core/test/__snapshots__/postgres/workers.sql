-- register
insert into "app"."pgqrs_workers" (id, name, host, pid, queues, status, started_at, heartbeat_at)
  values ($1, $2, $3, $4, $5, 'ready', coalesce(to_timestamp($6::float8 / 1000), statement_timestamp()), coalesce(to_timestamp($7::float8 / 1000), statement_timestamp()))
  on conflict (id) do nothing returning id;

-- heartbeat
update "app"."pgqrs_workers" set heartbeat_at = coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) where id = $2 returning status;

-- status
select status from "app"."pgqrs_workers" where id = $1;

-- move
update "app"."pgqrs_workers" set status = $1,
  stopped_at = case when $2 = 'stopped' then coalesce(to_timestamp($3::float8 / 1000), statement_timestamp()) end
  where id = $4 and "status" = any(array(select json_array_elements_text($5::text::json)::text)) returning status;

-- list
select id, name, host, pid, queues, status, (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "heartbeat_at") * 1000) as "heartbeat_at",
  (date_part('epoch', "stopped_at") * 1000) as "stopped_at", (date_part('epoch', coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())) * 1000) - (date_part('epoch', "heartbeat_at") * 1000) as age_ms,
  coalesce(("h"."held")::float8, 0) as held
  from "app"."pgqrs_workers" left join (select w.worker_id, count(*) as held from "app"."pgqrs_messages" w
  where w.finished_at is null and w.status in ('running', 'cancelling') and w.worker_id is not null group by w.worker_id) h on h.worker_id = "pgqrs_workers"."id" order by id;

-- held
select id, lease_id, queue from "app"."pgqrs_messages"
  where finished_at is null and status in ('running', 'cancelling') and worker_id = $1;

-- purge
delete from "app"."pgqrs_workers" where heartbeat_at <= (coalesce(to_timestamp($1::float8 / 1000), statement_timestamp()) + -1 * $2::float8 * interval '1 millisecond')
  and id not in (select h.worker_id from (select w.worker_id, count(*) as held from "app"."pgqrs_messages" w
  where w.finished_at is null and w.status in ('running', 'cancelling') and w.worker_id is not null group by w.worker_id) h) returning id;
