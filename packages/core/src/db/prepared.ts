import { sql, type Compilable, type RawBuilder } from 'kysely'
import type { RowShape, Slot, SqlDialect } from './dialect.js'
import type { Statement } from './statement.js'

/** Stands in a query for an argument that arrives with each call. */
class ScalarSlot {
  constructor(readonly scalar: string) {}
}

/** Stands in a query for a column of the rows that arrive with each call. */
class ColumnSlot {
  constructor(readonly column: string) {}
}

/** Stands in a query for the value that a column of the rows has in all of them. */
class CommonSlot {
  constructor(readonly common: string) {}
}

/** The arguments of a query as expressions. */
export type Params<Args> = { readonly [Name in keyof Args]-?: RawBuilder<Args[Name]> }

/** A query compiled once; `bind` only fills in parameters. */
export interface Prepared<Args, Row> {
  readonly sql: string
  bind(args: Args): Statement
  /** Never set; carries the type of a row. */
  readonly row?: Row
}

/** A query over many items compiled once; one item is one row of {@link SqlDialect.rows}. */
export interface Batch<Item, Args, Row> {
  readonly sql: string
  bind(items: readonly Item[], args: Args): Statement[]
  /** Never set; carries the type of a row. */
  readonly row?: Row
}

/** A query as text or as Kysely builds it. */
export type Query = Compilable | RawBuilder<unknown>

function params<Args>(): Params<Args> {
  return new Proxy({} as Params<Args>, {
    get: (_, name) => sql`${new ScalarSlot(String(name))}`,
  })
}

/** The parameter that stands for a column of the rows of a batch. For dialects. */
export function columnSlot(column: string): RawBuilder<unknown> {
  return sql`${new ColumnSlot(column)}`
}

/** The parameter that stands for the one value of a column whose values are all the same, else for null. For dialects. */
export function commonSlot(column: string): RawBuilder<unknown> {
  return sql`${new CommonSlot(column)}`
}

function compile(dialect: SqlDialect, query: Query): { sql: string; slots: Slot[] } {
  const compiled = query.compile(dialect.db)
  return {
    sql: compiled.sql,
    slots: compiled.parameters.map((value) => (isSlot(value) ? value : { value })),
  }
}

function isSlot(value: unknown): value is ScalarSlot | ColumnSlot | CommonSlot {
  return value instanceof ScalarSlot || value instanceof ColumnSlot || value instanceof CommonSlot
}

/** The value of one parameter of the call, or of one item. */
export function fill(slot: Slot, args: object, item?: object): unknown {
  if ('scalar' in slot) return (args as Record<string, unknown>)[slot.scalar]
  if ('column' in slot) return (item as Record<string, unknown> | undefined)?.[slot.column]
  return 'value' in slot ? slot.value : null
}

/** Compiles a query once. Values never enter its text. */
export function prepare<Args extends object, Row>(
  dialect: SqlDialect,
  build: (params: Params<Args>) => Query,
  options: Partial<Pick<Statement, 'reads' | 'slow'>> = {},
): Prepared<Args, Row> {
  const { sql: text, slots } = compile(dialect, build(params<Args>()))
  const traits = { reads: false, ...options }
  return {
    sql: text,
    bind: (args) => ({ sql: text, parameters: slots.map((slot) => fill(slot, args)), ...traits }),
  }
}

/** Compiles a query over the rows of a batch once. `shape` names what of an item becomes a column. */
export function prepareBatch<Item extends object, Args extends object, Row>(
  dialect: SqlDialect,
  shape: RowShape & Record<keyof Item, RowShape[string]>,
  build: (rows: RawBuilder<unknown>, params: Params<Args>) => Query,
): Batch<Item, Args, Row> {
  const { sql: text, slots } = compile(dialect, build(dialect.rows(shape, 'r'), params<Args>()))
  return {
    sql: text,
    bind: (items, args) => dialect.bindRows(text, slots, items, args, shape),
  }
}

/** Statements without parameters, such as DDL, compiled once and executed once. */
export function ddl(dialect: SqlDialect, queries: readonly RawBuilder<unknown>[]): Statement[] {
  return queries.map((query) => {
    const { sql: text, parameters } = query.compile(dialect.db)
    return { sql: text, parameters, reads: false, slow: true }
  })
}
