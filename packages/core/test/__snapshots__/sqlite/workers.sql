-- register
insert into "pgqrs_workers" (id, name, host, pid, queues, status, started_at, heartbeat_at)
  values (?, ?, ?, ?, ?, 'ready', coalesce(?, cast(unixepoch('subsec') * 1000 as integer)), coalesce(?, cast(unixepoch('subsec') * 1000 as integer)))
  on conflict (id) do nothing returning id;

-- heartbeat
update "pgqrs_workers" set heartbeat_at = coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) where id = ? returning status;

-- status
select status from "pgqrs_workers" where id = ?;

-- move
update "pgqrs_workers" set status = ?,
  stopped_at = case when ? = 'stopped' then coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) end
  where id = ? and "status" in (select value from json_each(?)) returning status;

-- list
select id, name, host, pid, queues, status, "started_at" as "started_at", "heartbeat_at" as "heartbeat_at",
  "stopped_at" as "stopped_at", coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) - "heartbeat_at" as age_ms,
  coalesce("h"."held", 0) as held
  from "pgqrs_workers" left join (select w.worker_id, count(*) as held from "pgqrs_messages" w
  where w.finished_at is null and w.status in ('running', 'cancelling') and w.worker_id is not null group by w.worker_id) h on h.worker_id = "pgqrs_workers"."id" order by id;

-- held
select id, lease_id, queue from "pgqrs_messages"
  where finished_at is null and status in ('running', 'cancelling') and worker_id = ?;

-- purge
delete from "pgqrs_workers" where heartbeat_at <= (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast(-1 * ? as integer))
  and id not in (select h.worker_id from (select w.worker_id, count(*) as held from "pgqrs_messages" w
  where w.finished_at is null and w.status in ('running', 'cancelling') and w.worker_id is not null group by w.worker_id) h) returning id;
