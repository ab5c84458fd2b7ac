-- all
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (extract(epoch from "vt") * 1000)::float8 as "vt", (extract(epoch from "enqueued_at") * 1000)::float8 as "enqueued_at", (extract(epoch from "started_at") * 1000)::float8 as "started_at", (extract(epoch from "finished_at") * 1000)::float8 as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text))  order by id desc limit $4;

-- live
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (extract(epoch from "vt") * 1000)::float8 as "vt", (extract(epoch from "enqueued_at") * 1000)::float8 as "enqueued_at", (extract(epoch from "started_at") * 1000)::float8 as "started_at", (extract(epoch from "finished_at") * 1000)::float8 as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text)) and finished_at is null order by id desc limit $4;

-- finished
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (extract(epoch from "vt") * 1000)::float8 as "vt", (extract(epoch from "enqueued_at") * 1000)::float8 as "enqueued_at", (extract(epoch from "started_at") * 1000)::float8 as "started_at", (extract(epoch from "finished_at") * 1000)::float8 as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text)) and finished_at is not null order by id desc limit $4;
