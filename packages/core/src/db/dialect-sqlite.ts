import {
  SqliteAdapter,
  SqliteQueryCompiler,
  sql,
  type Expression,
  type Kysely,
  type RawBuilder,
} from 'kysely'
import { compilingKysely } from './compiler.js'
import type { CatalogRow, RowShape, Slot, SqlDialect } from './dialect.js'
import { expectedTables, tableBody, type TypeNames } from './ddl.js'
import type { IndexLayout, Layout, TableLayout } from './layout.js'
import { columnSlot, fill } from './prepared.js'
import type { Database, TableName, Time } from './schema.js'
import { checksOf, checkText } from './sqlite-checks.js'
import type { Statement } from './statement.js'

const types: TypeNames = {
  uuid: 'text',
  text: 'text',
  int: 'integer',
  bigint: 'integer',
  float: 'real',
  boolean: 'integer',
  time: 'integer',
}

/** The SQL of SQLite 3.44 and later, libSQL included. */
export class SqliteDialect implements SqlDialect {
  readonly name = 'sqlite'
  readonly db: Kysely<Database>
  // One writer at a time: what a statement has read cannot change before it commits.
  readonly holdRow = sql``
  readonly seizeRow = sql``
  readonly installLock = undefined

  constructor() {
    this.db = compilingKysely(
      () => new SqliteAdapter(),
      () => new SqliteQueryCompiler(),
    )
  }

  table(name: TableName): RawBuilder<unknown> {
    return sql.id(name)
  }

  now(override: Expression<number | null>): RawBuilder<Time> {
    return sql`coalesce(${override}, cast(unixepoch('subsec') * 1000 as integer))`
  }

  plusMs(at: Expression<Time>, ms: Expression<number | null>): RawBuilder<Time> {
    return sql`(${at} + cast(${ms} as integer))`
  }

  time(ms: Expression<number | null>): RawBuilder<Time> {
    return sql`cast(${ms} as integer)`
  }

  millis(at: Expression<Time | null>): RawBuilder<number> {
    return sql`${at}`
  }

  number(value: Expression<unknown>): RawBuilder<number> {
    return sql`${value}`
  }

  jsonRows(json: Expression<string>, shape: RowShape, alias: string): RawBuilder<unknown> {
    const columns = Object.keys(shape).map(
      (name) => sql`json_extract(value, ${sql.lit(`$.${name}`)}) as ${sql.id(name)}`,
    )
    return sql`(select ${sql.join(columns)} from json_each(${json})) as ${sql.id(alias)}`
  }

  among(column: Expression<string>, json: Expression<string>): RawBuilder<boolean> {
    return sql`${column} in (select value from json_each(${json}))`
  }

  amongRows(column: Expression<string>, query: RawBuilder<unknown>): RawBuilder<boolean> {
    return sql`${column} in (${query})`
  }

  rows(shape: RowShape, alias: string): RawBuilder<unknown> {
    const columns = Object.keys(shape).map((name) => sql`${columnSlot(name)} as ${sql.id(name)}`)
    return sql`(select ${sql.join(columns)}) as ${sql.id(alias)}`
  }

  // A statement that is prepared once and bound again costs SQLite less than taking JSON apart.
  bindRows(text: string, slots: readonly Slot[], items: readonly object[], args: object): Statement[] {
    return items.map((item) => ({
      sql: text,
      parameters: slots.map((slot) => bindable(fill(slot, args, item))),
      reads: false,
    }))
  }

  lateralClaim(query: RawBuilder<unknown>, alias: string): RawBuilder<unknown> {
    return sql`json_each((select json_group_array(value) from (${query}))) as ${sql.id(alias)}`
  }

  jsonArrays(cells: readonly Expression<unknown>[], orderBy: Expression<unknown>): RawBuilder<string | null> {
    return sql`nullif(json_group_array(json_array(${sql.join(cells)}) order by ${orderBy}), '[]')`
  }

  tallied(query: RawBuilder<unknown>): RawBuilder<unknown> {
    return query
  }

  create(layout: Layout): RawBuilder<unknown>[] {
    return [
      ...layout.tables.map((table) => this.createTable(table)),
      ...layout.indexes.map((index) => sql`create ${sql.raw(this.indexText(index, 'if not exists '))}`),
      ...(layout.tables.some((t) => t.name === 'pgqrs_messages') ? this.createTriggers() : []),
    ]
  }

  private createTable(table: TableLayout): RawBuilder<unknown> {
    return sql`create table if not exists ${sql.id(table.name)} ${tableBody(table, types)}`
  }

  private indexText(index: IndexLayout, ifNotExists: string): string {
    const where = index.where === undefined ? '' : ` where ${index.where}`
    const unique = index.unique === true ? 'unique ' : ''
    return `${unique}index ${ifNotExists}${index.name} on ${index.table} (${index.columns.join(', ')})${where}`
  }

  private createTriggers(): RawBuilder<unknown>[] {
    return Object.entries(triggers).map(
      ([name, body]) => sql`create trigger if not exists ${sql.raw(`${name} ${body}`)}`,
    )
  }

  drop(tables: readonly TableName[]): RawBuilder<unknown>[] {
    return tables.map((name) => sql`drop table if exists ${sql.id(name)}`)
  }

  catalog(tables: readonly TableName[]): RawBuilder<CatalogRow> {
    const names = sql.join(tables.map((t) => sql.lit(t)))
    return sql<CatalogRow>`
      select 'table' as kind, name, '' as detail from sqlite_master where type = 'table' and name in (${names})
      union all
      select 'check', name, sql from sqlite_master where type = 'table' and name in (${names})
      union all
      select 'index', t.name || '_pkey', 'unique on ' || t.name || ' (' || group_concat(c.name, ', ' order by c.pk) || ')'
      from sqlite_master t, pragma_table_info(t.name) c
      where t.type = 'table' and t.name in (${names}) and c.pk > 0 group by t.name
      union all
      select 'column', t.name || '.' || c.name, lower(c.type) || case when c."notnull" then ' not null' else '' end
        || coalesce(' default ' || c.dflt_value, '')
      from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table' and t.name in (${names})
      union all
      select type, name, case when lower(sql) like 'create unique %' then 'unique ' else '' end
        || substr(sql, instr(lower(sql), ' on ') + 1) from sqlite_master
      where type in ('index', 'trigger') and tbl_name in (${names}) and sql is not null`
  }

  // The catalog has no place of its own for checks.
  facts(rows: readonly CatalogRow[]): CatalogRow[] {
    return rows.flatMap((row) => (row.kind === 'check' ? checksOf(row.name, row.detail) : [row]))
  }

  expected(layout: Layout): CatalogRow[] {
    return [
      ...expectedTables(layout, types, (column, texts) =>
        checkText(`${column} in (${texts.map((text) => `'${text}'`).join(', ')})`),
      ),
      ...layout.indexes.map((index): CatalogRow => ({
        kind: 'index',
        name: index.name,
        detail: (index.unique === true ? 'unique ' : '') + afterOn(this.indexText(index, '')),
      })),
      ...Object.entries(triggers).map(([name, body]): CatalogRow => ({
        kind: 'trigger',
        name,
        detail: afterOn(body),
      })),
    ]
  }
}

const add = (row: 'old' | 'new', n: 1 | -1): string =>
  `insert into pgqrs_tallies (queue, status, shard, n) values (${row}.queue, ${row}.status, 0, ${n}) ` +
  `on conflict (queue, status, shard) do update set n = n + (${n});`

// What Postgres does inside the statement that finishes a message, SQLite does per row: it has no CTE that writes.
const triggers: Readonly<Record<string, string>> = {
  pgqrs_messages_finish:
    'after update of finished_at on pgqrs_messages when old.finished_at is null and new.finished_at is not null ' +
    `begin ${add('new', 1)} end`,
  pgqrs_messages_reopen:
    'after update of finished_at on pgqrs_messages when old.finished_at is not null and new.finished_at is null ' +
    `begin ${add('old', -1)} end`,
  pgqrs_messages_remove: `after delete on pgqrs_messages when old.finished_at is not null begin ${add('old', -1)} end`,
}

function afterOn(text: string): string {
  return text.slice(text.indexOf(' on ') + 1)
}

// better-sqlite3 and libSQL refuse booleans and undefined.
function bindable(value: unknown): unknown {
  if (value === undefined) return null
  return typeof value === 'boolean' ? Number(value) : value
}
