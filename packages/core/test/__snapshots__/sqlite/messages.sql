-- enqueue
insert into "pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(cast("r"."at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."delay_ms" as integer))),
  r.key, r.key_kept, r.payload, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) from (select ? as "id", ? as "queue", ? as "priority", ? as "delay_ms", ? as "at_ms", ? as "key", ? as "key_kept", ? as "payload") as "r" where true on conflict do nothing returning id;

-- enqueueStrictly
insert into "pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(cast("r"."at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."delay_ms" as integer))),
  r.key, r.key_kept, r.payload, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) from (select ? as "id", ? as "queue", ? as "priority", ? as "delay_ms", ? as "at_ms", ? as "key", ? as "key_kept", ? as "payload") as "r" where true;

-- enqueueHanded
insert into "pgqrs_messages" as pgqrs_messages (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at,
  due_at, claims, lease_id, worker_id, started_at)
  with handed as materialized (
  select r.*, case when r.lease_id is not null and (select q.paused_at from "pgqrs_queues" q where q.name = r.queue) is null
  and coalesce((select m.priority from "pgqrs_messages" m where m.queue = r.queue and m.finished_at is null
  order by m.priority desc limit 1), r.priority) <= r.priority
  and (select m.id from "pgqrs_messages" m where m.queue = r.queue and m.priority = r.priority
  and m.finished_at is null and m.vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) order by m.vt limit 1) is null then r.lease_id end as granted from (select ? as "id", ? as "queue", ? as "priority", ? as "delay_ms", ? as "at_ms", ? as "key", ? as "key_kept", ? as "payload", ? as "lease_id", ? as "lease_ms", ? as "worker_id") as "r"
  )
  select h.id, h.queue, case when h.granted is null then 'queued' else 'running' end, h.priority,
  case when h.granted is null
  then coalesce(cast("h"."at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("h"."delay_ms" as integer)))
  else (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("h"."lease_ms" as integer)) end,
  h.key, h.key_kept, h.payload, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)), case when h.granted is not null then coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) end,
  case when h.granted is null then 0 else 1 end, h.granted, case when h.granted is not null then h.worker_id end,
  case when h.granted is not null then coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) end
  from handed h where true
  on conflict do nothing
  returning id, lease_id, "vt" as "vt", "enqueued_at" as "enqueued_at";

-- enqueueOrReplace
insert into "pgqrs_messages" as pgqrs_messages
  (id, queue, status, priority, vt, key, key_kept, payload, enqueued_at)
  select r.id, r.queue, 'queued', r.priority,
  coalesce(cast("r"."at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."delay_ms" as integer))),
  r.key, r.key_kept, r.payload, coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) from (select ? as "id", ? as "queue", ? as "priority", ? as "delay_ms", ? as "at_ms", ? as "key", ? as "key_kept", ? as "payload") as "r" where not exists (select 1 from "pgqrs_messages" m where m.id = r.id)
  on conflict (queue, key) where key is not null and (key_kept or finished_at is null)
  do update set payload = excluded.payload, priority = excluded.priority, vt = excluded.vt
  where pgqrs_messages.status = 'queued' returning id, key;

-- holdersOfKeys
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  "vt" as "vt", "enqueued_at" as "enqueued_at", "started_at" as "started_at", "finished_at" as "finished_at"
  from (select json_extract(value, '$.of_queue') as "of_queue", json_extract(value, '$.of_key') as "of_key" from json_each(?)) as "k" cross join "pgqrs_messages"
  where queue = k.of_queue and key = k.of_key and key is not null and (key_kept or finished_at is null);

-- finish
update "pgqrs_messages" set
  status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
  output = case when pgqrs_messages.status = 'cancelling' then null else r.output end,
  error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else r.error end,
  failures = failures + r.failed, finished_at = coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  from (select ? as "id", ? as "lease_id", ? as "status", ? as "output", ? as "error", ? as "failed") as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling')
  returning pgqrs_messages.id, pgqrs_messages.status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status;

-- cancelling
select id, lease_id from "pgqrs_messages"
  where "id" in (select value from json_each(?)) and status = 'cancelling';

-- release
update "pgqrs_messages" set
  status = case when pgqrs_messages.status = 'cancelling' then 'cancelled' else r.status end,
  finished_at = case when pgqrs_messages.status = 'cancelling' then coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) end,
  error = case when pgqrs_messages.status = 'cancelling' then pgqrs_messages.error else coalesce(r.error, pgqrs_messages.error) end,
  failures = failures + r.failed,
  vt = coalesce(cast("r"."at_ms" as integer), (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."delay_ms" as integer)))
  from (select ? as "id", ? as "lease_id", ? as "status", ? as "delay_ms", ? as "at_ms", ? as "error", ? as "failed", ? as "unless_steps") as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling') and (r.unless_steps is null or not exists (
  select 1 from "pgqrs_steps" s where s.run_id = r.id and "s"."name" in (select value from json_each("r"."unless_steps"))))
  returning pgqrs_messages.id, pgqrs_messages.status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status;

-- extend
update "pgqrs_messages" set vt = (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast("r"."lease_ms" as integer))
  from (select ? as "id", ? as "lease_id", ? as "lease_ms") as "r" where pgqrs_messages.id = r.id and pgqrs_messages.lease_id = r.lease_id
  and pgqrs_messages.status in ('running', 'cancelling') and pgqrs_messages.vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  returning pgqrs_messages.id, pgqrs_messages.status, "vt" as "vt";

-- remove
delete from "pgqrs_messages" where (id, lease_id) in (select r.id, r.lease_id from (select ? as "id", ? as "lease_id") as "r")
  and status in ('running', 'cancelling') returning id;

-- removeUncancelled
delete from "pgqrs_messages" where (id, lease_id) in (select r.id, r.lease_id from (select ? as "id", ? as "lease_id") as "r")
  and status in ('running') returning id;

-- cancel
update "pgqrs_messages" set
  status = case when status in ('running', 'cancelling') and vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) then 'cancelling' else 'cancelled' end,
  finished_at = case when status in ('running', 'cancelling') and vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) then null else coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) end,
  error = case when status = 'cancelling' then error else ? end
  where "id" in (select value from json_each(?)) and finished_at is null
  returning id, queue, status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status;

-- archive
update "pgqrs_messages" set status = case when status = 'cancelling' then 'cancelled' else 'success' end, finished_at = coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  where "id" in (select value from json_each(?)) and finished_at is null
  and (status in ('queued', 'paused') or vt <= coalesce(?, cast(unixepoch('subsec') * 1000 as integer)))
  returning id, queue, status, pgqrs_messages.queue as tally_queue, pgqrs_messages.status as tally_status;

-- reclaim
update "pgqrs_messages" set vt = coalesce(?, cast(unixepoch('subsec') * 1000 as integer))
  where finished_at is null and status in ('running', 'cancelling') and vt > coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) and worker_id in (
  select w.id from "pgqrs_workers" w
  where w.heartbeat_at <= (coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) + cast(-1 * ? as integer)))
  returning id, queue;

-- wake
update "pgqrs_messages" set
  status = case when status = 'paused' then 'queued' else status end,
  vt = case when status = 'paused' then coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) else vt end
  where id = ? and finished_at is null returning id, queue, status;

-- replay
update "pgqrs_messages" set status = 'queued', vt = coalesce(?, cast(unixepoch('subsec') * 1000 as integer)), failures = 0, crashes = 0,
  error = null, output = null, finished_at = null, lease_id = null, worker_id = null
  where "id" in (select value from json_each(?)) and status = 'error'
  returning id, queue, queue as tally_queue, 'error' as tally_status;

-- get
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  "vt" as "vt", "enqueued_at" as "enqueued_at", "started_at" as "started_at", "finished_at" as "finished_at" from "pgqrs_messages" where "id" in (select value from json_each(?));

-- outcomes
select id, queue, status, output, error from "pgqrs_messages"
  where "id" in (select value from json_each(?)) and finished_at is not null
  union all select id, queue, status, output, error from "pgqrs_messages"
  where "id" in (select value from json_each(?));
