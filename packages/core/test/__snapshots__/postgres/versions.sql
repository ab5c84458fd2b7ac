-- installed
select version, compatible_from from "app"."pgqrs_migrations" order by version desc limit 1;

-- record
insert into "app"."pgqrs_migrations" (version, name, compatible_from, applied_at)
  values ($1, $2, $3, coalesce(to_timestamp($4::float8 / 1000), statement_timestamp())) returning version;

-- clock
select (date_part('epoch', coalesce(to_timestamp($1::float8 / 1000), statement_timestamp())) * 1000) as now_ms;

-- catalog
with ours as (select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'app' and c.relkind in ('r', 'p') and c.relname in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies'))
  select 'table' as kind, relname::text as name, '' as detail from ours
  union all
  select 'column', o.relname || '.' || a.attname,
  format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end
  || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
  from ours o join pg_attribute a on a.attrelid = o.oid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where a.attnum > 0 and not a.attisdropped
  union all
  select 'check', o.relname || coalesce('.' || a.attname, ''), string_agg(k.text, ' and ' order by k.text)
  from ours o
  join (select conrelid, conkey, contype, pg_get_constraintdef(oid, true) as text from pg_constraint) k
  on k.conrelid = o.oid and k.contype = 'c'
  left join pg_attribute a on a.attrelid = o.oid and k.conkey = array[a.attnum] group by 2
  union all
  select 'index', i.relname, case when x.indisunique then 'unique ' else '' end || 'on ' || o.relname || ' ('
  || (select string_agg(pg_get_indexdef(x.indexrelid, k, true), ', ' order by k) from generate_series(1, x.indnkeyatts) k) || ')'
  || coalesce(' where ' || translate(lower(pg_get_expr(x.indpred, x.indrelid, true)), '()', ''), '')
  || case when x.indisvalid then '' else ' (invalid)' end
  from ours o join pg_index x on x.indrelid = o.oid join pg_class i on i.oid = x.indexrelid;
