-- all
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  "vt" as "vt", "enqueued_at" as "enqueued_at", "started_at" as "started_at", "finished_at" as "finished_at" from "pgqrs_messages" where id < ? and "queue" in (select value from json_each(?))
  and "status" in (select value from json_each(?))  order by id desc limit ?;

-- live
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  "vt" as "vt", "enqueued_at" as "enqueued_at", "started_at" as "started_at", "finished_at" as "finished_at" from "pgqrs_messages" where id < ? and "queue" in (select value from json_each(?))
  and "status" in (select value from json_each(?)) and finished_at is null order by id desc limit ?;

-- finished
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  "vt" as "vt", "enqueued_at" as "enqueued_at", "started_at" as "started_at", "finished_at" as "finished_at" from "pgqrs_messages" where id < ? and "queue" in (select value from json_each(?))
  and "status" in (select value from json_each(?)) and finished_at is not null order by id desc limit ?;
