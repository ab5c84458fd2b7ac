import type { Target, TestDatabase, Topic } from '@pgqrs/conformance'
import { connect, type PostgresOptions } from '@pgqrs/postgres'
import postgres, { type Sql, type TransactionSql } from 'postgres'
import { afterAll, beforeAll } from 'vitest'
import { createDatabase, type CreatedDatabase } from './database.js'

/** How the stores of a target reach the database. */
export interface Reach {
  /** Schema of the tables of pgqrs; the application's table `effects` is in `public` all the same. */
  readonly schema?: string
  /** Turns the database's DSN into that of another way to it. */
  readonly by?: (dsn: string) => string
  /** What stores are told besides, made from the database's own DSN. */
  readonly options?: (dsn: string) => PostgresOptions
}

/** What Postgres can do, whichever way it is reached. */
export const capabilities: Target['capabilities'] = {
  wake: 'push',
  oneWriter: false,
  clock: 'database',
  shared: true,
  schemas: true,
}

/** Topics that take longest, for they wait for other processes to start, to die, or to lose their leases. */
export const amongProcesses: ReadonlySet<Topic> = new Set<Topic>([
  'crash',
  'zombie',
  'processes',
  'lostAnswers',
  'outages',
  'resources',
  'interrupted',
])

/** Topics that meet every statement: for a way to the database that only differs in how statements are sent. */
export const everyStatement: ReadonlySet<Topic> = new Set<Topic>([
  'enqueue',
  'enqueueMany',
  'keys',
  'transactional',
  'consumer',
  'leases',
  'handlers',
  'retries',
  'deadLetters',
  'workers',
  'workerStates',
  'queues',
  'metrics',
  'retention',
  'wake',
  'install',
  'steps',
  'stepRetries',
  'pause',
  'cancel',
  'results',
  'transaction',
  'asMessages',
])

const LOOKER = 'pgqrs-conformance'

/**
 * How to make the databases of a target, to be called in its file. To create one takes longer than most tests do, so
 * there is only one, of which `drop` makes an empty one again: it ends every connection and drops every schema with all
 * that is in it.
 */
export function emptiedDatabase(reach: Reach = {}): Target['create'] {
  const { schema, by = (dsn: string): string => dsn, options = () => ({}) } = reach
  const place = schema ?? 'public'
  let created: CreatedDatabase
  let sql: Sql
  beforeAll(async () => {
    created = await createDatabase()
    sql = postgres(created.dsn, {
      max: 3,
      onnotice: () => {},
      connection: { application_name: LOOKER, search_path: `public, ${place}` },
    })
    await empty(sql, place)
  })
  afterAll(async () => {
    await sql.end({ timeout: 1 })
    await created.drop()
  })
  return () => {
    const dsn = by(created.dsn)
    const common = { dsn, ...(schema === undefined ? {} : { schema }), ...options(created.dsn) }
    const database: TestDatabase = {
      dsn,
      connect: (more) => connect({ ...common, ...more }),
      query: (text) => sql.unsafe(text),
      table: (name) => `${place}.${name}`,
      // Sent at once, as the other clients do: a query of postgres.js that nobody waits for is never sent.
      writeEffect: (tx, name) =>
        (tx as TransactionSql)`insert into effects (name) values (${name})`.execute(),
      inTransaction: async (work) => {
        await sql.begin(work)
      },
      drop: () => empty(sql, place),
    }
    return Promise.resolve(database)
  }
}

/** @throws Error when there are tables of pgqrs in another schema than `place`. */
async function empty(sql: Sql, place: string): Promise<void> {
  const strays = await sql`select n.nspname || '.' || c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relname like 'pgqrs%' and n.nspname <> ${place}`
  await sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and application_name <> ${LOOKER}`
  for (const schema of new Set(['public', place])) {
    await sql.unsafe(`drop schema if exists ${schema} cascade; create schema ${schema}`)
  }
  if (strays.length > 0) throw new Error(`tables in a foreign schema: ${JSON.stringify(strays)}`)
}
