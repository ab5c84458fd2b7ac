import { postgresLimit } from './limit-postgres.js'
import { sqliteLimit } from './limit-sqlite.js'
import { LimitSession } from './limit-session.js'
import type { BenchDatabase, StoreName, System, Work } from './system.js'

/** The hand-written statements of one kind of database. */
export interface LimitTables {
  install(): Promise<void>
  insert(rows: readonly LimitRow[], work: Work): Promise<void>
  /** Takes up to `limit` rows that wait. */
  claim(limit: number, work: Work): Promise<LimitRow[]>
  checkpoint(rows: readonly LimitRow[], step: number): Promise<void>
  /** The end of messages. */
  remove(rows: readonly LimitRow[]): Promise<void>
  /** The end of runs. */
  finish(rows: readonly LimitRow[]): Promise<void>
  close(): Promise<void>
}

/** A message or run: a key and the JSON of its payload. */
export interface LimitRow {
  readonly id: string
  readonly payload: string
}

function tablesIn(database: BenchDatabase): LimitTables {
  return database.store === 'postgres' ? postgresLimit(database.dsn) : sqliteLimit(database.file)
}

const measured = ['E1', 'E2', 'D', 'W', 'W10']
const countOf = (work: Work, finished: boolean): string =>
  `select count(*) from bench_limit where queue = '${work}' and finished_at is ${finished ? 'not null' : 'null'}`

/**
 * What the database can do with the same rows: hand-written statements over arrays, nothing else. No fence, no retries, no other queue
 * and no answer to a crash.
 */
export const limits: readonly System[] = [
  {
    name: 'limit',
    configuration: 'best',
    note: 'hand-written SQL: batched insert, batched claim, batched delete of messages, batched finish of runs, checkpoints of 100 runs in one commit',
    kind: 'both',
    stores: ['postgres', 'sqlite'] satisfies StoreName[],
    packageName: 'postgres',
    shortestLease: 'none',
    supports: (scenario) => measured.includes(scenario) || 'is no system, only statements',
    async install(database) {
      const tables = tablesIn(database)
      await tables.install()
      await tables.close()
    },
    async open(database) {
      return new LimitSession(tablesIn(database))
    },
    backlogSql: (work) => countOf(work, false),
    finishedSql: (work) => (work === 'runs' ? countOf(work, true) : undefined),
  },
]
