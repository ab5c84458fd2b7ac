import type { Layout, Migration } from '../layout.js'
import type { TableName } from '../schema.js'
import { initial } from './0001-initial.js'

/** Every migration in order; one list for all databases. */
export const migrations: readonly Migration[] = [initial]

/** The schema version this code is written for. */
export const currentVersion = migrations.length

/** Every table of ours and the table that keeps the version. */
export const bookkeeping: Layout = {
  tables: [
    {
      name: 'pgqrs_migrations',
      columns: [
        { name: 'version', type: 'int' },
        { name: 'name', type: 'text' },
        { name: 'compatible_from', type: 'int' },
        { name: 'applied_at', type: 'time' },
      ],
      primaryKey: ['version'],
    },
  ],
  indexes: [],
}

/** What the database must look like after all migrations. */
export const currentLayout: Layout = {
  tables: [...bookkeeping.tables, ...migrations.flatMap((m) => m.adds.tables)],
  indexes: migrations.flatMap((m) => m.adds.indexes),
}

/** Names of all tables of pgqrs. */
export const tableNames: readonly TableName[] = currentLayout.tables.map((t) => t.name)
