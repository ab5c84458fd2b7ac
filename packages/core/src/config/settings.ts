import { InvalidArgumentError } from '../errors.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { checkSchema, display } from '../names.js'

/** What can be configured outside the code, before it is checked. Every key can also stand in `pgqrs.yaml`. */
export interface ConfigInput {
  /** Where the database is; its scheme picks the driver. */
  readonly dsn?: string
  /** Postgres schema the tables are in; it must exist. Default: the connection's own. */
  readonly schema?: string
  /** Connections for the engine's statements. Default 10. */
  readonly maxConnections?: number
  /** How long a call waits for the database to be reachable. Default 10 s. */
  readonly connectionTimeout?: Duration
  /** How long a lease holds without renewal. Default 30 s. */
  readonly lease?: Duration
  /** Messages a consumer takes at most in one dequeue when the call does not say. Default 10. */
  readonly batchSize?: number
  /** Lost leases after which a message is a dead letter. Default 5. */
  readonly maxCrashes?: number
  /** How often a worker shows that it lives and renews its leases. Default 5 s, and never more than a third of the lease. */
  readonly heartbeatInterval?: Duration
  /** Longest time between two looks for work. Default 1 s; five times that while hints are known to arrive. */
  readonly pollInterval?: Duration
  /** SQLite: write-ahead logging. Default true. */
  readonly sqliteWal?: boolean
}

/** The same, checked, with every default filled in. Spans are in milliseconds. */
export interface Config {
  readonly dsn: string | undefined
  readonly schema: string | undefined
  readonly maxConnections: number
  readonly connectionTimeoutMs: number
  readonly leaseMs: number
  readonly batchSize: number
  readonly maxCrashes: number
  readonly heartbeatMs: number
  readonly pollMs: number
  readonly sqliteWal: boolean
}

/** The shortest lease. A shorter one would lapse between two heartbeats of a healthy worker. */
export const SHORTEST_LEASE_MS = 100

interface Setting {
  /** Environment variables, the first that is set counts. */
  readonly env: readonly string[]
  /** From the text of the environment to what the code would pass. */
  readonly fromEnv: (text: string) => unknown
  readonly fallback: unknown
  readonly check: (value: never) => unknown
}

const text = (value: string): string => value
// What is no number stays a text, so that the error shows it.
const number = (value: string): number | string => (Number.isFinite(Number(value)) ? Number(value) : value)
// The original's variables are seconds, except where the name says MS.
const seconds = (value: string): number | string =>
  Number.isFinite(Number(value)) ? Number(value) * 1000 : value
const flag = (value: string): unknown =>
  ({ true: true, '1': true, false: false, '0': false })[value.toLowerCase()] ?? value

function checkDsn(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidArgumentError('dsn must be a text such as postgres://localhost/app or sqlite:app.db.')
}

function checkFlag(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidArgumentError(`${what} must be true or false. Got ${display(value)}.`)
}

/** Every setting in the order it is shown. */
export const settings: Readonly<Record<keyof ConfigInput, Setting>> = {
  dsn: { env: ['PGQRS_DSN', 'DATABASE_URL'], fromEnv: text, fallback: undefined, check: checkDsn },
  schema: {
    env: ['PGQRS_SCHEMA'],
    fromEnv: text,
    fallback: undefined,
    check: (value: string | undefined) => (value === undefined ? undefined : checkSchema(value)),
  },
  maxConnections: {
    env: ['PGQRS_MAX_CONNECTIONS'],
    fromEnv: number,
    fallback: 10,
    check: (value: number) => toCount(value, 'maxConnections', 1, 1000),
  },
  connectionTimeout: {
    env: ['PGQRS_CONNECTION_TIMEOUT'],
    fromEnv: seconds,
    fallback: 10_000,
    check: (value: Duration) => toMs(value, 'connectionTimeout', 1),
  },
  lease: {
    env: ['PGQRS_DEFAULT_LOCK_TIME'],
    fromEnv: seconds,
    fallback: 30_000,
    check: (value: Duration) => toMs(value, 'lease', SHORTEST_LEASE_MS),
  },
  batchSize: {
    env: ['PGQRS_DEFAULT_BATCH_SIZE'],
    fromEnv: number,
    fallback: 10,
    check: (value: number) => toCount(value, 'batchSize', 1, 10_000),
  },
  maxCrashes: {
    env: ['PGQRS_MAX_READ_CT'],
    fromEnv: number,
    fallback: 5,
    check: (value: number) => toCount(value, 'maxCrashes'),
  },
  heartbeatInterval: {
    env: ['PGQRS_HEARTBEAT_INTERVAL'],
    fromEnv: seconds,
    fallback: 5000,
    check: (value: Duration) => toMs(value, 'heartbeatInterval', 10),
  },
  pollInterval: {
    env: ['PGQRS_POLL_INTERVAL_MS'],
    fromEnv: number,
    fallback: 1000,
    check: (value: Duration) => toMs(value, 'pollInterval', 1),
  },
  sqliteWal: {
    env: ['PGQRS_SQLITE_USE_WAL'],
    fromEnv: flag,
    fallback: true,
    check: (value: boolean) => checkFlag(value, 'sqliteWal'),
  },
}

/** Names of everything that can be configured. */
export const configKeys: readonly string[] = Object.keys(settings)
