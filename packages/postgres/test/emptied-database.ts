import { randomBytes } from 'node:crypto'
import type { Target, TestDatabase, Topic } from '@pgqrs/conformance'
import { connect, type PostgresOptions } from '@pgqrs/postgres'
import postgres, { type Sql, type TransactionSql } from 'postgres'
import { at, serverDsn } from './database.js'

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
 * The databases of a target, one after the other. To create one takes longer than most tests do, so there is only one,
 * of which `drop` makes an empty one again: it ends every connection and drops every schema with all that is in it.
 */
export class EmptiedDatabase {
  readonly #name = `pgqrs_conformance_${randomBytes(6).toString('hex')}`
  readonly #server = postgres(serverDsn(), { max: 1, onnotice: () => {} })
  readonly #dsn = at(serverDsn(), { database: this.#name })
  readonly #reach: Reach
  readonly #looker: Sql

  constructor(reach: Reach = {}) {
    this.#reach = reach
    this.#looker = postgres(this.#dsn, {
      max: 3,
      onnotice: () => {},
      connection: { application_name: LOOKER, search_path: `public, ${reach.schema ?? 'public'}` },
    })
  }

  /** To be called once, before all tests. */
  async begin(): Promise<void> {
    await this.#server.unsafe(`create database ${this.#name} template template0`)
    await this.#empty()
  }

  /** To be called once, after all tests. */
  async end(): Promise<void> {
    await this.#looker.end({ timeout: 1 })
    await this.#server.unsafe(`drop database if exists ${this.#name} with (force)`)
    await this.#server.end({ timeout: 1 })
  }

  /** The database as it is while one test runs. */
  readonly create = (): Promise<TestDatabase> => {
    const { schema, by, options: more } = this.#reach
    const dsn = by?.(this.#dsn) ?? this.#dsn
    const sql = this.#looker
    const common = { dsn, ...(schema === undefined ? {} : { schema }), ...more?.(this.#dsn) }
    return Promise.resolve({
      dsn,
      connect: (options) => connect({ ...common, ...options }),
      query: (text) => sql.unsafe(text),
      // Sent at once, as the other clients do: a query of postgres.js that nobody waits for is never sent.
      writeEffect: (tx, name) =>
        (tx as TransactionSql)`insert into effects (name) values (${name})`.execute(),
      inTransaction: async (work) => {
        await sql.begin(work)
      },
      drop: () => this.#empty(),
    })
  }

  async #empty(): Promise<void> {
    const schemas = ['public', this.#reach.schema ?? 'public']
    const foreign = await this.#looker`select n.nspname || '.' || c.relname as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relname like 'pgqrs%' and n.nspname <> ${schemas[1] ?? 'public'}`
    await this.#looker`select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and application_name <> ${LOOKER}`
    for (const schema of new Set(schemas)) {
      await this.#looker.unsafe(`drop schema if exists ${schema} cascade; create schema ${schema}`)
    }
    if (foreign.length > 0) throw new Error(`tables in a foreign schema: ${JSON.stringify(foreign)}`)
  }
}
