import type { CatalogRow } from '../db/dialect.js'
import type { Migration } from '../db/layout.js'
import { bookkeeping, currentLayout, currentVersion, migrations, tableNames } from '../db/migrations/index.js'
import { ddl } from '../db/prepared.js'
import { NotInstalledError } from '../errors.js'
import type { Engine } from './engine.js'

/** What {@link install} did. */
export interface InstallReport {
  /** Schema version before; 0 when nothing was there. */
  readonly from: number
  readonly to: number
  /** Names of the migrations this call applied; empty when somebody else did or nothing was to do. */
  readonly applied: readonly string[]
  /** What had been dropped since the tables were made, and was made again: empty, or `index pgqrs_messages_claim`. */
  readonly restored: readonly string[]
}

/** What {@link verify} found. */
export interface VerifyReport {
  readonly ok: boolean
  /** Schema version found; 0 when nothing is installed. */
  readonly version: number
  /** Every difference, one sentence each. */
  readonly differences: readonly string[]
}

/**
 * Brings the tables to the current version. Each migration is one transaction that begins by claiming its version, so
 * of twenty racing installers one applies it and the others see that it is done; a kill leaves nothing half-made.
 * Tables, indexes and triggers that somebody has dropped are made again.
 */
export async function install(engine: Engine): Promise<InstallReport> {
  const from = await installedVersion(engine)
  const applied: string[] = []
  for (const migration of migrations) {
    if (migration.version <= from) continue
    if (await apply(engine, migration)) applied.push(migration.name)
  }
  engine.forgetVersion()
  await engine.ready({})
  const restored = from > currentVersion ? [] : await restore(engine)
  return { from, to: Math.max(from, currentVersion), applied, restored }
}

async function restore(engine: Engine): Promise<string[]> {
  const missing = await missingParts(engine)
  // Looking costs a read; the statements would take locks even where there is nothing to make.
  if (missing.length === 0) return []
  const { dialect } = engine.driver
  const lock = dialect.installLock === undefined ? [] : [dialect.installLock]
  await engine.raw(ddl(dialect, [...lock, ...dialect.create(currentLayout)]), 'restore what was dropped')
  const still = await missingParts(engine)
  return missing.filter((part) => !still.includes(part))
}

async function missingParts(engine: Engine): Promise<string[]> {
  const found = new Set((await readCatalog(engine)).map(keyOf))
  const expected = engine.driver.dialect
    .expected(currentLayout)
    .filter(({ kind }) => kind !== 'column' && kind !== 'check')
  return expected.map(keyOf).filter((part) => !found.has(part))
}

async function apply(engine: Engine, migration: Migration): Promise<boolean> {
  const { dialect } = engine.driver
  const statements = [
    ...ddl(dialect, dialect.installLock === undefined ? [] : [dialect.installLock]),
    ...ddl(dialect, dialect.create(bookkeeping)),
  ]
  statements.push(
    engine.queries.versions.record.bind({
      version: migration.version,
      name: migration.name,
      compatible_from: migration.compatibleFrom,
      now: engine.now,
    }),
    ...ddl(dialect, dialect.create(migration.adds)),
  )
  try {
    await engine.raw(statements, `install migration ${migration.version} (${migration.name})`)
    return true
  } catch (error) {
    if (engine.failureOf(error).kind === 'unique' && (await installedVersion(engine)) >= migration.version)
      return false
    throw error
  }
}

/** The version of the tables; 0 when there are none. */
export async function installedVersion(engine: Engine): Promise<number> {
  try {
    const [rows] = await engine.raw(
      [engine.queries.versions.installed.bind({})],
      'look at the schema version',
    )
    return (rows?.[0] as { version: number } | undefined)?.version ?? 0
  } catch (error) {
    if (error instanceof NotInstalledError) return 0
    throw error
  }
}

/** Compares what the database's catalog says with what this code needs. Changes nothing. */
export async function verify(engine: Engine): Promise<VerifyReport> {
  const version = await installedVersion(engine)
  if (version === 0) {
    return { ok: false, version, differences: ['pgqrs is not installed: run `npx pgqrs install`'] }
  }
  const differences: string[] = []
  if (version !== currentVersion) {
    differences.push(`schema version is ${version}, this code is written for ${currentVersion}`)
  }
  differences.push(...compare(engine.driver.dialect.expected(currentLayout), await readCatalog(engine)))
  return { ok: differences.length === 0, version, differences }
}

async function readCatalog(engine: Engine): Promise<CatalogRow[]> {
  const [rows] = await engine.raw([engine.queries.versions.catalog.bind({})], 'read the catalog')
  return engine.driver.dialect.facts(rows as unknown as CatalogRow[])
}

const keyOf = (row: CatalogRow): string => `${row.kind} ${row.name}`

function compare(expected: readonly CatalogRow[], found: readonly CatalogRow[]): string[] {
  const foundByKey = new Map(found.map((row) => [keyOf(row), row]))
  const differences: string[] = []
  for (const want of expected) {
    const have = foundByKey.get(keyOf(want))
    if (have === undefined) differences.push(`${keyOf(want)} is missing`)
    else if (have.detail.toLowerCase() !== want.detail.toLowerCase()) {
      differences.push(`${keyOf(want)} is "${have.detail}", expected "${want.detail}"`)
    }
  }
  const known = new Set(expected.map(keyOf))
  for (const row of found) {
    // More indexes and triggers are the operator's business; another column means another version, and another check
    // may refuse what this one writes.
    if ((row.kind === 'column' || row.kind === 'check') && !known.has(keyOf(row)))
      differences.push(`${keyOf(row)} is not known to this version`)
  }
  return differences
}

/** Drops every table of pgqrs with everything in it. */
export async function uninstall(engine: Engine): Promise<void> {
  const { dialect } = engine.driver
  await engine.raw(ddl(dialect, dialect.drop(tableNames)), 'uninstall')
  engine.forgetVersion()
}
