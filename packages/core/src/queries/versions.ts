import { sql } from 'kysely'
import type { SqlDialect } from '../db/dialect.js'
import { prepare } from '../db/prepared.js'
import type { CatalogRow } from '../db/dialect.js'
import { tableNames } from '../db/migrations/index.js'

/** Every statement on the version of the schema. */
export function versionQueries(d: SqlDialect) {
  const migrations = d.table('pgqrs_migrations')
  return {
    /** The newest migration, and the oldest code version that may still work with it. */
    installed: prepare<object, { version: number; compatible_from: number }>(
      d,
      () => sql`select version, compatible_from from ${migrations} order by version desc limit 1`,
      { reads: true },
    ),
    /** Claims a version for this installer; a second one violates the primary key and rolls everything back. */
    record: prepare<
      { version: number; name: string; compatible_from: number; now: number | null },
      { version: number }
    >(
      d,
      (p) => sql`insert into ${migrations} (version, name, compatible_from, applied_at)
        values (${p.version}, ${p.name}, ${p.compatible_from}, ${d.now(p.now)}) returning version`,
    ),
    /** The database's clock, ms since the epoch. */
    clock: prepare<{ now: number | null }, { now_ms: number }>(
      d,
      (p) => sql`select ${d.millis(d.now(p.now))} as now_ms`,
      {
        reads: true,
      },
    ),
    /** What the database's catalog says about our tables. */
    catalog: prepare<object, CatalogRow>(d, () => d.catalog(tableNames), {
      reads: true,
      slow: true,
    }),
  }
}
