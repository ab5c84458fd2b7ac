import type { StoreKind } from '@pgqrs/checker'
import type { ChaosDatabase } from './database.js'
import { openPostgres } from './postgres.js'
import { openSqlite } from './sqlite.js'
import { openTurso } from './turso.js'

/**
 * An empty database of this kind with pgqrs, the tables of the load's user, and a log of all changes.
 * `disk`: files are to be on a disk of their own of so many MB, where that can be had; `settings`: of Postgres.
 */
export function openDatabase(
  kind: StoreKind,
  {
    folder,
    disk,
    settings,
  }: { folder: string; disk: number | undefined; settings: Readonly<Record<string, string>> },
): Promise<ChaosDatabase> {
  switch (kind) {
    case 'postgres':
      return openPostgres(settings)
    case 'sqlite':
      return openSqlite(folder, disk)
    case 'turso':
      return openTurso(folder, disk)
  }
}
