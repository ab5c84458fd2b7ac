import type { ColumnType } from './dialect.js'
import type { TableName } from './schema.js'

/** A column: its type, whether it may be null, and its default as SQL. */
export interface ColumnLayout {
  readonly name: string
  readonly type: ColumnType
  readonly nullable?: boolean
  readonly default?: '0' | 'false'
  /** The texts it may hold. */
  readonly oneOf?: readonly string[]
}

/** A table and its primary key. */
export interface TableLayout {
  readonly name: TableName
  readonly columns: readonly ColumnLayout[]
  readonly primaryKey: readonly string[]
  /** Share of a page filled at insert, so that updates find room on it (Postgres). */
  readonly fillfactor?: number
}

/** An index. `where` is SQL both dialects understand. */
export interface IndexLayout {
  readonly name: string
  readonly table: TableName
  /** Column names, each optionally followed by ` desc`. */
  readonly columns: readonly string[]
  readonly unique?: boolean
  readonly where?: string
}

/** What a migration adds, and what {@link verify} expects. */
export interface Layout {
  readonly tables: readonly TableLayout[]
  readonly indexes: readonly IndexLayout[]
}

/** A step from one schema version to the next. Append-only: a released migration never changes. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** The oldest schema version whose code may still work with the tables after this migration. */
  readonly compatibleFrom: number
  readonly adds: Layout
}
