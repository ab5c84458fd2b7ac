import type { Generated } from 'kysely'
import type { Status, StepKind, StepStatus, WorkerStatus } from '../status.js'

/**
 * A point in time as the database keeps it: `timestamptz` on Postgres, integer milliseconds on the SQLite family.
 * Opaque on purpose: only the dialect makes one and turns one into milliseconds.
 */
export interface Time {
  readonly __time: never
}

export interface MessagesTable {
  /** UUIDv7 made by the client before the first send. */
  id: string
  queue: string
  status: Status
  priority: number
  /** Visible at: not before this time may the message be claimed. While it is leased, the end of the lease. */
  vt: Time
  /** `vt` as it was when the message was last claimed: since when it was due. */
  due_at: Time | null
  key: string | null
  /** The key stays taken after the message has finished (runs), not only until then (messages). */
  key_kept: Generated<boolean>
  payload: string
  /** The grant that holds or last held the message: the fence of every write by a holder. */
  lease_id: string | null
  worker_id: string | null
  /** Grants so far. */
  claims: Generated<number>
  /** Handlers that threw. */
  failures: Generated<number>
  /** Leases that lapsed without a word from their holder. */
  crashes: Generated<number>
  output: string | null
  error: string | null
  enqueued_at: Time
  started_at: Time | null
  finished_at: Time | null
}

export interface StepsTable {
  run_id: string
  /** Scope path, name, number or key: `pack`, `hash[3]/read`, `poll#2`. Unique within the run. */
  name: string
  kind: StepKind
  status: StepStatus
  output: string | null
  error: string | null
  failures: Generated<number>
  /** When a sleep or a pause ends. */
  wake_at: Time | null
  /** Counts up within the run in the order of recording. */
  position: number
  /** How many checkpoints of its scope the code had seen when it reached this one. */
  seen: number
  recorded_at: Time
}

export interface QueuesTable {
  name: string
  kind: 'queue' | 'workflow'
  paused_at: Time | null
  created_at: Time
}

export interface WorkersTable {
  id: string
  name: string
  host: string
  pid: number
  /** JSON array of queue names. */
  queues: string
  status: WorkerStatus
  started_at: Time
  heartbeat_at: Time
  stopped_at: Time | null
}

/** Counts of finished messages, kept as they finish so that nobody has to count an archive. */
export interface TalliesTable {
  queue: string
  status: Status
  /** Spreads the writers of one count over several rows. */
  shard: number
  n: number
}

export interface MigrationsTable {
  version: number
  name: string
  /** The oldest schema version whose code may still work with the tables after this migration. */
  compatible_from: number
  applied_at: Time
}

/** The tables of pgqrs, typed for Kysely. */
export interface Database {
  pgqrs_messages: MessagesTable
  pgqrs_steps: StepsTable
  pgqrs_queues: QueuesTable
  pgqrs_workers: WorkersTable
  pgqrs_tallies: TalliesTable
  pgqrs_migrations: MigrationsTable
}

/** Name of a table of pgqrs. */
export type TableName = keyof Database
