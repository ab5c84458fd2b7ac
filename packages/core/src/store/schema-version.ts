import { currentVersion } from '../db/migrations/index.js'
import { NotInstalledError, SchemaVersionError } from '../errors.js'

/** What the tables say of themselves. */
export interface InstalledVersion {
  readonly version: number
  /** The oldest code that can work with them. */
  readonly compatible_from: number
}

/**
 * Makes sure that this code can work with the tables in `target`.
 * @throws NotInstalledError, SchemaVersionError
 */
export function mustFit(found: InstalledVersion | undefined, target: string): void {
  if (found === undefined) {
    throw new NotInstalledError(`The tables of pgqrs in ${target} are incomplete. Run \`npx pgqrs install\`.`)
  }
  if (found.version < currentVersion) {
    throw new SchemaVersionError(
      `The tables in ${target} are of version ${found.version}, this code needs ${currentVersion}. Run \`npx pgqrs install\`.`,
      found.version,
      currentVersion,
    )
  }
  if (found.compatible_from > currentVersion) {
    throw new SchemaVersionError(
      `The tables in ${target} are of version ${found.version}, made by a newer pgqrs; this code knows ${currentVersion}. Update @pgqrs/core.`,
      found.version,
      currentVersion,
    )
  }
}
