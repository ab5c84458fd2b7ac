-- all
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at", (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "finished_at") * 1000) as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text))  order by id desc limit $4;

-- live
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at", (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "finished_at") * 1000) as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text)) and finished_at is null order by id desc limit $4;

-- finished
select id, queue, status, priority, key, payload, output, error, claims, failures, crashes, lease_id, worker_id,
  (date_part('epoch', "vt") * 1000) as "vt", (date_part('epoch', "enqueued_at") * 1000) as "enqueued_at", (date_part('epoch', "started_at") * 1000) as "started_at", (date_part('epoch', "finished_at") * 1000) as "finished_at" from "app"."pgqrs_messages" where id < $1 and "queue" = any(array(select json_array_elements_text($2::text::json)::text))
  and "status" = any(array(select json_array_elements_text($3::text::json)::text)) and finished_at is not null order by id desc limit $4;
