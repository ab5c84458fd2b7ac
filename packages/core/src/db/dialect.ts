import type { Expression, Kysely, RawBuilder } from 'kysely'
import type { Layout } from './layout.js'
import type { Database, TableName, Time } from './schema.js'
import type { Statement } from './statement.js'

/** Kinds of values that enter a statement as a column of many rows, and types of columns. */
export type ColumnType = 'uuid' | 'text' | 'int' | 'bigint' | 'float' | 'boolean' | 'time'

/** Names and types of the columns of a {@link SqlDialect.rows} source; a type that ends in `?` may be null. */
export type RowShape = Readonly<Record<string, ColumnType | `${ColumnType}?`>>

/**
 * Everything that differs between the databases, in one place. There are two implementations: Postgres, and the
 * SQLite family. A query that needs a difference asks for a member here; it never asks which database it runs on.
 */
export interface SqlDialect {
  readonly name: 'postgres' | 'sqlite'
  /** Builds and compiles queries; never executes one. */
  readonly db: Kysely<Database>

  /** A table of ours in the configured schema, quoted. */
  table(name: TableName): RawBuilder<unknown>
  /** The database's clock, or `override` (ms since the epoch) where it is not null. */
  now(override: Expression<number | null>): RawBuilder<Time>
  /** A point in time plus milliseconds. */
  plusMs(at: Expression<Time>, ms: Expression<number | null>): RawBuilder<Time>
  /** Milliseconds since the epoch as a point in time; null stays null. */
  time(ms: Expression<number | null>): RawBuilder<Time>
  /** A point in time as milliseconds since the epoch, exact to the microsecond where the database is. */
  millis(at: Expression<Time | null>): RawBuilder<number>

  /** Objects in one JSON parameter as a row source named `alias`. */
  jsonRows(json: Expression<string>, shape: RowShape, alias: string): RawBuilder<unknown>
  /** `column`, of type uuid or text, is one of the texts in a JSON array parameter. */
  among(column: Expression<string>, json: Expression<string>, type: 'uuid' | 'text'): RawBuilder<boolean>
  /** `column` is one of the ids of a subquery, which is executed first whatever the planner believes of its size. */
  amongRows(column: Expression<string>, query: RawBuilder<unknown>): RawBuilder<boolean>
  /** A count or sum as a JavaScript number. */
  number(value: Expression<unknown>): RawBuilder<number>
  /** The rows of a batch as a row source named `alias`: see {@link Batch}. */
  rows(shape: RowShape, alias: string): RawBuilder<unknown>
  /** Binds a compiled batch: one statement with array parameters, or one statement for each item. */
  bindRows(
    sql: string,
    slots: readonly Slot[],
    items: readonly object[],
    args: object,
    shape: RowShape,
  ): Statement[]

  /** A correlated subquery in FROM that yields `value` in its own order; its rows are locked, locked ones skipped. */
  lateralClaim(query: RawBuilder<unknown>, alias: string): RawBuilder<unknown>
  /** Ends a SELECT on `m`: nobody can claim the row before the transaction ends. Its holder can still renew it. */
  readonly holdRow: RawBuilder<unknown>
  /** Ends a SELECT on `m`: waits until every transaction that holds the row has ended. */
  readonly seizeRow: RawBuilder<unknown>
  /** Aggregates rows of arrays into one JSON text, ordered. */
  jsonArrays(cells: readonly Expression<unknown>[], orderBy: Expression<unknown>): RawBuilder<string | null>
  /**
   * Wraps an UPDATE or DELETE that returns `tally_queue` and `tally_status`, so that the counts of finished messages
   * change by `by` for each returned row whose status is final. On the SQLite family a trigger does it.
   */
  tallied(query: RawBuilder<unknown>, by: 1 | -1): RawBuilder<unknown>

  /** DDL of tables, indexes and triggers. */
  create(layout: Layout): RawBuilder<unknown>[]
  /** Drops every table of ours. */
  drop(tables: readonly TableName[]): RawBuilder<unknown>[]
  /** Lets one installer at a time through, or nothing where the transaction does so anyway. */
  readonly installLock: RawBuilder<unknown> | undefined
  /** What the catalog says about these tables: rows of `kind, name, detail`, for {@link facts}. */
  catalog(tables: readonly TableName[]): RawBuilder<CatalogRow>
  /** The facts in what the catalog query has returned. */
  facts(rows: readonly CatalogRow[]): CatalogRow[]
  /** The facts when everything is as `layout` says. */
  expected(layout: Layout): CatalogRow[]
}

/** One fact of the catalog, for instance `column`, `pgqrs_steps.name`, `text not null`. */
export interface CatalogRow {
  readonly kind: 'table' | 'column' | 'check' | 'index' | 'trigger'
  readonly name: string
  readonly detail: string
}

/** A parameter of a compiled query: a scalar of the call, a column of its rows, or what is common to a column. */
export type Slot =
  | { readonly scalar: string }
  | { readonly column: string }
  | { readonly common: string }
  | { readonly value: unknown }
