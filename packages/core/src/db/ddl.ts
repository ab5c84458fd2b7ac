import { sql, type RawBuilder } from 'kysely'
import type { CatalogRow, ColumnType } from './dialect.js'
import type { ColumnLayout, Layout, TableLayout } from './layout.js'

/** How a dialect spells the column types. */
export type TypeNames = Readonly<Record<ColumnType, string>>

/** Columns, checks and primary key of a table, in parentheses. */
export function tableBody(table: TableLayout, types: TypeNames): RawBuilder<unknown> {
  const columns = table.columns.map(
    (column) => sql`${sql.id(column.name)} ${sql.raw(definition(column, types))}${check(column)}`,
  )
  const key = sql`primary key (${sql.join(table.primaryKey.map((name) => sql.id(name)))})`
  return sql`(${sql.join([...columns, key])})`
}

/**
 * What a catalog query must say about tables, columns, checks and primary keys of a layout.
 * @param checkOf how the database spells that a column holds one of these texts.
 */
export function expectedTables(
  layout: Layout,
  types: TypeNames,
  checkOf: (column: string, texts: readonly string[]) => string,
): CatalogRow[] {
  return layout.tables.flatMap((table): CatalogRow[] => [
    { kind: 'table', name: table.name, detail: '' },
    ...table.columns.map((column): CatalogRow => ({
      kind: 'column',
      name: `${table.name}.${column.name}`,
      detail: definition(column, types),
    })),
    ...table.columns.flatMap(({ name, oneOf }): CatalogRow[] =>
      oneOf === undefined
        ? []
        : [{ kind: 'check', name: `${table.name}.${name}`, detail: checkOf(name, oneOf) }],
    ),
    {
      kind: 'index',
      name: `${table.name}_pkey`,
      detail: `unique on ${table.name} (${table.primaryKey.join(', ')})`,
    },
  ])
}

function definition(column: ColumnLayout, types: TypeNames): string {
  const defaults = column.default === undefined ? '' : ` default ${column.default}`
  return `${types[column.type]}${column.nullable === true ? '' : ' not null'}${defaults}`
}

function check(column: ColumnLayout): RawBuilder<unknown> {
  if (column.oneOf === undefined) return sql``
  return sql` check (${sql.id(column.name)} in (${sql.join(column.oneOf.map((text) => sql.lit(text)))}))`
}
