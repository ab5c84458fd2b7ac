import type { BenchDatabase, ScenarioName } from '../system.js'

/** The connection string of a system that has Postgres only. */
export function postgresOnly(database: BenchDatabase): string {
  if (database.store !== 'postgres') throw new Error('it has no SQLite')
  return database.dsn
}

/** Why a plain queue, or an engine without transactional steps, cannot do a scenario; undefined when it can. */
export function unsupported(kind: 'queue' | 'engine', scenario: ScenarioName): string | undefined {
  if (kind === 'queue' && ['W', 'W10', 'WL', 'T'].includes(scenario)) return 'has no durable steps'
  if (kind === 'engine' && scenario === 'T') return 'has no transactional step'
  return undefined
}
