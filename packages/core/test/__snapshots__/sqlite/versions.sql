-- installed
select version, compatible_from from "pgqrs_migrations" order by version desc limit 1;

-- record
insert into "pgqrs_migrations" (version, name, compatible_from, applied_at)
  values (?, ?, ?, coalesce(?, cast(unixepoch('subsec') * 1000 as integer))) returning version;

-- clock
select coalesce(?, cast(unixepoch('subsec') * 1000 as integer)) as now_ms;

-- catalog
select 'table' as kind, name, '' as detail from sqlite_master where type = 'table' and name in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies')
  union all
  select 'check', name, sql from sqlite_master where type = 'table' and name in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies')
  union all
  select 'index', t.name || '_pkey', 'unique on ' || t.name || ' (' || group_concat(c.name, ', ' order by c.pk) || ')'
  from sqlite_master t, pragma_table_info(t.name) c
  where t.type = 'table' and t.name in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies') and c.pk > 0 group by t.name
  union all
  select 'column', t.name || '.' || c.name, lower(c.type) || case when c."notnull" then ' not null' else '' end
  || coalesce(' default ' || c.dflt_value, '')
  from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table' and t.name in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies')
  union all
  select type, name, case when lower(sql) like 'create unique %' then 'unique ' else '' end
  || substr(sql, instr(lower(sql), ' on ') + 1) from sqlite_master
  where type in ('index', 'trigger') and tbl_name in ('pgqrs_migrations', 'pgqrs_messages', 'pgqrs_steps', 'pgqrs_queues', 'pgqrs_workers', 'pgqrs_tallies') and sql is not null;
