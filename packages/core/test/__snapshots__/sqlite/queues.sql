-- ensure
insert into "pgqrs_queues" (name, kind, created_at) values (?, ?, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)))
  on conflict (name) do update set kind = excluded.kind where excluded.kind = 'workflow' and pgqrs_queues.kind = 'queue'
  returning name;

-- list
select name, kind, "paused_at" as "paused_at", "created_at" as "created_at" from "pgqrs_queues" order by name;

-- pause
update "pgqrs_queues" set paused_at = coalesce(paused_at, coalesce(?, cast(unixepoch('subsec') * 1000 as integer))) where name = ? returning name, kind, "paused_at" as "paused_at", "created_at" as "created_at";

-- resume
update "pgqrs_queues" set paused_at = null where name = ? returning name, kind, "paused_at" as "paused_at", "created_at" as "created_at";

-- remove
delete from "pgqrs_queues" where name = ?
  and not exists (select 1 from "pgqrs_messages" m where m.queue = ? and m.finished_at is null)
  returning name;

-- liveCounts
select queue,
  count(*) filter (where vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer))) as ready,
  count(*) filter (where vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) and status = 'queued') as delayed,
  count(*) filter (where vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) and status in ('running', 'cancelling')) as leased,
  count(*) filter (where vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) and status = 'paused') as paused,
  coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) - min(case when vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) then vt end) as oldest_ms
  from "pgqrs_messages" where finished_at is null group by queue;

-- finishedCounts
select queue, status, sum(n) as n from "pgqrs_tallies" group by queue, status;

-- removeSomeSteps
delete from "pgqrs_steps" where "run_id" in (select id from "pgqrs_messages" where queue = ? and (
  (? = 1 and finished_at is null and (status in ('queued', 'paused') or vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer))))
  or (finished_at is not null and finished_at <= cast(? as integer) and "status" in (select value from json_each(?)))
  ) order by id limit ?) returning run_id;

-- removeSome
delete from "pgqrs_messages" where "id" in (select id from "pgqrs_messages" where queue = ? and (
  (? = 1 and finished_at is null and (status in ('queued', 'paused') or vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer))))
  or (finished_at is not null and finished_at <= cast(? as integer) and "status" in (select value from json_each(?)))
  ) order by id limit ?) returning id, queue as tally_queue, status as tally_status;
