import {
  PostgresAdapter,
  PostgresQueryCompiler,
  sql,
  type Expression,
  type Kysely,
  type RawBuilder,
} from 'kysely'
import { compilingKysely } from './compiler.js'
import type { CatalogRow, ColumnType, RowShape, Slot, SqlDialect } from './dialect.js'
import { expectedTables, tableBody, type TypeNames } from './ddl.js'
import type { IndexLayout, Layout, TableLayout } from './layout.js'
import { columnSlot, commonSlot, fill } from './prepared.js'
import type { Database, TableName, Time } from './schema.js'
import type { Statement } from './statement.js'

const types: TypeNames = {
  uuid: 'uuid',
  text: 'text',
  int: 'integer',
  bigint: 'bigint',
  float: 'double precision',
  boolean: 'boolean',
  time: 'timestamp with time zone',
}

// Any constant all installers share.
const INSTALL_LOCK = 7_467_707

/** The SQL of Postgres 13 and later. */
export class PostgresDialect implements SqlDialect {
  readonly name = 'postgres'
  readonly db: Kysely<Database>
  // The weakest lock that keeps out the claim's FOR UPDATE: heartbeats and cancels go on beside it.
  readonly holdRow = sql`for key share of m`
  readonly seizeRow = sql`for update of m`
  readonly installLock = sql`select pg_advisory_xact_lock(${sql.lit(INSTALL_LOCK)})`

  /** @param schema an allow-listed schema name, or undefined for the connection's search path. */
  constructor(private readonly schema: string | undefined) {
    const db = compilingKysely(
      () => new PostgresAdapter(),
      () => new PostgresQueryCompiler(),
    )
    this.db = schema === undefined ? db : db.withSchema(schema)
  }

  table(name: TableName): RawBuilder<unknown> {
    return this.schema === undefined ? sql.id(name) : sql.id(this.schema, name)
  }

  // Stable within a statement, so that `vt <= now` can be an index condition; clock_timestamp() could not.
  now(override: Expression<number | null>): RawBuilder<Time> {
    return sql`coalesce(${this.time(override)}, statement_timestamp())`
  }

  plusMs(at: Expression<Time>, ms: Expression<number | null>): RawBuilder<Time> {
    return sql`(${at} + ${ms}::float8 * interval '1 millisecond')`
  }

  time(ms: Expression<number | null>): RawBuilder<Time> {
    return sql`to_timestamp(${ms}::float8 / 1000)`
  }

  millis(at: Expression<Time | null>): RawBuilder<number> {
    // extract() would compute in numeric, which costs as much as the rest of a claimed row.
    return sql`(date_part('epoch', ${at}) * 1000)`
  }

  number(value: Expression<unknown>): RawBuilder<number> {
    return sql`(${value})::float8`
  }

  jsonRows(json: Expression<string>, shape: RowShape, alias: string): RawBuilder<unknown> {
    const columns = Object.entries(shape).map(([name, type]) => sql`${sql.id(name)} ${typeOf(type)}`)
    return sql`json_to_recordset(${json}::text::json) as ${sql.id(alias)}(${sql.join(columns)})`
  }

  among(column: Expression<string>, json: Expression<string>, type: 'uuid' | 'text'): RawBuilder<boolean> {
    return sql`${column} = any(array(select json_array_elements_text(${json}::text::json)::${sql.raw(type)}))`
  }

  amongRows(column: Expression<string>, query: RawBuilder<unknown>): RawBuilder<boolean> {
    return sql`${column} = any(array(${query}))`
  }

  // A column whose values are all the same arrives as one value and an empty array, which unnest fills up with nulls.
  // Each array stands in a subquery so that the planner cannot count it: for a thousand ids it would rather read the
  // whole table than look them up, and a table that grows would make every batch slower.
  rows(shape: RowShape, alias: string): RawBuilder<unknown> {
    const columns = Object.entries(shape).map(([name, type], i) => {
      const value = sql`u.${sql.id(name)}`
      return {
        name: sql.id(name),
        array: sql`(select ${columnSlot(name)}::${typeOf(type)}[])`,
        value:
          i === 0 || mayBeNull(type) ? value : sql`coalesce(${value}, ${commonSlot(name)}::${typeOf(type)})`,
      }
    })
    const values = columns.map(({ name, value }) => sql`${value} as ${name}`)
    return sql`(select ${sql.join(values)} from unnest(${sql.join(columns.map((c) => c.array))})
      as u(${sql.join(columns.map((c) => c.name))})) as ${sql.id(alias)}`
  }

  bindRows(
    text: string,
    slots: readonly Slot[],
    items: readonly object[],
    args: object,
    shape: RowShape,
  ): Statement[] {
    // The first column tells how many rows there are.
    const [first] = Object.keys(shape)
    const common = (column: string): boolean => {
      const wanted = mayBeNull(shape[column]) ? null : cell(items[0], column)
      return column !== first && items.every((item) => cell(item, column) === wanted)
    }
    const commonColumns = new Set(Object.keys(shape).filter(common))
    const parameters = slots.map((slot) => {
      if ('column' in slot) return commonColumns.has(slot.column) ? '{}' : arrayLiteral(items, slot.column)
      if ('common' in slot) return commonColumns.has(slot.common) ? cell(items[0], slot.common) : null
      return fill(slot, args)
    })
    return [{ sql: text, parameters, reads: false }]
  }

  lateralClaim(query: RawBuilder<unknown>, alias: string): RawBuilder<unknown> {
    return sql`lateral (${query} for update skip locked) as ${sql.id(alias)}`
  }

  jsonArrays(cells: readonly Expression<unknown>[], orderBy: Expression<unknown>): RawBuilder<string | null> {
    return sql`json_agg(json_build_array(${sql.join(cells)}) order by ${orderBy})::text`
  }

  // One backend runs one statement at a time, so a shard by backend is rarely contended and needs no roll-up.
  // Sorted, so that two statements that do share a shard take their rows in the same order.
  tallied(query: RawBuilder<unknown>, by: 1 | -1): RawBuilder<unknown> {
    const tallies = this.table('pgqrs_tallies')
    return sql`with changed as (${query}), tally as (
      insert into ${tallies} as t (queue, status, shard, n)
      select tally_queue, tally_status, pg_backend_pid() % 64, ${sql.lit(by)} * count(*) from changed
      where tally_status in ('success', 'error', 'cancelled') group by 1, 2 order by 1, 2
      on conflict (queue, status, shard) do update set n = t.n + excluded.n
    ) select * from changed`
  }

  create(layout: Layout): RawBuilder<unknown>[] {
    return [
      ...layout.tables.map((table) => this.createTable(table)),
      ...layout.indexes.map((index) => this.createIndex(index)),
    ]
  }

  private createTable(table: TableLayout): RawBuilder<unknown> {
    const storage =
      table.fillfactor === undefined ? sql`` : sql` with (fillfactor = ${sql.lit(table.fillfactor)})`
    return sql`create table if not exists ${this.table(table.name)} ${tableBody(table, types)}${storage}`
  }

  private createIndex(index: IndexLayout): RawBuilder<unknown> {
    const unique = index.unique === true ? sql`unique ` : sql``
    const where = index.where === undefined ? sql`` : sql` where ${sql.raw(index.where)}`
    const columns = sql.raw(index.columns.join(', '))
    return sql`create ${unique}index if not exists ${sql.id(index.name)} on ${this.table(index.table)} (${columns})${where}`
  }

  drop(tables: readonly TableName[]): RawBuilder<unknown>[] {
    return tables.map((name) => sql`drop table if exists ${this.table(name)}`)
  }

  catalog(tables: readonly TableName[]): RawBuilder<CatalogRow> {
    const schema = this.schema === undefined ? sql`current_schema()` : sql`${sql.lit(this.schema)}`
    const ours = sql`select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relkind in ('r', 'p') and c.relname in (${sql.join(tables.map((t) => sql.lit(t)))})`
    return sql<CatalogRow>`with ours as (${ours})
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
      from ours o join pg_index x on x.indrelid = o.oid join pg_class i on i.oid = x.indexrelid`
  }

  facts(rows: readonly CatalogRow[]): CatalogRow[] {
    return [...rows]
  }

  expected(layout: Layout): CatalogRow[] {
    return [
      ...expectedTables(
        layout,
        types,
        (column, texts) =>
          `CHECK (${column} = ANY (ARRAY[${texts.map((text) => `'${text}'::text`).join(', ')}]))`,
      ),
      ...layout.indexes.map((index): CatalogRow => ({
        kind: 'index',
        name: index.name,
        detail:
          `${index.unique === true ? 'unique ' : ''}on ${index.table} (${index.columns.join(', ')})` +
          (index.where === undefined ? '' : ` where ${index.where.replaceAll(/[()]/g, '')}`),
      })),
    ]
  }
}

function typeOf(type: RowShape[string]): RawBuilder<unknown> {
  return sql.raw(types[(mayBeNull(type) ? type.slice(0, -1) : type) as ColumnType])
}

function mayBeNull(type: RowShape[string] | undefined): boolean {
  return type?.endsWith('?') === true
}

function cell(item: object | undefined, column: string): unknown {
  return (item as Record<string, unknown> | undefined)?.[column]
}

// What JSON escapes otherwise than an array literal does.
const ESCAPED_OTHERWISE = /[^\x20-\ud7ff\ue000-\uffff]/

// The text form of an array; the server casts it. Cheaper than JSON, which would be escaped and parsed twice.
function arrayLiteral(items: readonly object[], column: string): string {
  let literal = '{'
  for (let i = 0; i < items.length; i++) {
    const value = cell(items[i], column)
    if (i > 0) literal += ','
    if (value === null || value === undefined) literal += 'NULL'
    else if (typeof value === 'string') literal += quoted(value)
    else literal += (value as number | boolean).toString()
  }
  return `${literal}}`
}

function quoted(text: string): string {
  // Native and several times faster than replacing.
  if (!ESCAPED_OTHERWISE.test(text)) return JSON.stringify(text)
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
