import { PgqrsError, type Failure } from '@pgqrs/core/driver'

type Kind = Failure['kind']

/** A connection of ours is gone. `sent` says whether what it was given may have reached the server. */
export class ConnectionLost extends PgqrsError {
  readonly sent: boolean
  constructor(message: string, sent: boolean, cause?: unknown) {
    super('CONNECTION_LOST', message, { cause, retryable: true })
    this.sent = sent
  }
}

/** A statement was refused because its transaction is over. It was not sent. */
export class TransactionOver extends PgqrsError {
  constructor(message: string, cause?: unknown) {
    super('TRANSACTION_OVER', message, { cause, retryable: classify(cause).kind === 'retry' })
  }
}

const kinds: Readonly<Record<string, Kind>> = {
  // Nobody answers, or who answers takes nobody in.
  CONNECT_TIMEOUT: 'unsent',
  ECONNREFUSED: 'unsent',
  ENOTFOUND: 'unsent',
  EAI_AGAIN: 'unsent',
  EHOSTUNREACH: 'unsent',
  ENETUNREACH: 'unsent',
  ENOENT: 'unsent',
  '08001': 'unsent',
  '08004': 'unsent',
  '53300': 'unsent', // too many connections
  '57P03': 'unsent', // starting up or shutting down
  // The conversation ended in the middle.
  CONNECTION_CLOSED: 'broken',
  CONNECTION_DESTROYED: 'broken',
  CONNECTION_ENDED: 'broken',
  ECONNRESET: 'broken',
  ECONNABORTED: 'broken',
  EPIPE: 'broken',
  ETIMEDOUT: 'broken',
  ERR_STREAM_DESTROYED: 'broken',
  ERR_STREAM_WRITE_AFTER_END: 'broken',
  '08000': 'broken',
  '08003': 'broken',
  '08006': 'broken',
  '08P01': 'broken', // PgBouncer's word for most of what ends a connection
  '25P03': 'broken', // idle in transaction for too long
  '25P04': 'broken', // transaction for too long
  '57P01': 'broken', // the backend was terminated
  '57P02': 'broken', // the server crashed
  '57P05': 'broken', // idle session for too long
  // Undone by the server.
  '40001': 'retry',
  '40P01': 'retry',
  '55P03': 'retry',
  '57014': 'retry', // cancelled: by a timeout of the server's, of ours, or by an operator
  '25006': 'read_only',
  '23505': 'unique',
  '3F000': 'schema_missing',
  '42501': 'permission',
  '28P01': 'authentication',
  '28000': 'authentication',
}

const PREPARED_LOST = new Set(['26000', '42P05'])
const OUR_TABLE = /relation "(?:[^"]+\.)?pgqrs_/
const explained = new WeakMap<Error, Failure>()

/** Lets {@link classify} answer with what was found out about this error. */
export function explain(error: Error, failure: Failure): void {
  explained.set(error, failure)
}

/** What an error of postgres.js, of the server, of Node's net or of this driver means. */
export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: 'other' }
  if (error instanceof ConnectionLost) return { kind: error.sent ? 'broken' : 'unsent' }
  const known = explained.get(error)
  if (known !== undefined) return known
  const code = codeOf(error)
  if (code === undefined) return { kind: 'other' }
  if (code === '42P01') return { kind: OUR_TABLE.test(error.message) ? 'not_installed' : 'other' }
  if (code === '3D000') {
    return { kind: 'other', detail: 'Create the database first: pgqrs creates tables, never databases.' }
  }
  if (code === '42704' && 'severity' in error && error.severity === 'FATAL') {
    return {
      kind: 'other',
      detail: 'What stands behind the ? of the DSN is sent as a setting: take it out there.',
    }
  }
  if (PREPARED_LOST.has(code)) {
    return { kind: 'other', detail: 'Behind a pooler in transaction mode, connect with prepare: false.' }
  }
  return { kind: kinds[code] ?? 'other' }
}

/** The SQLSTATE or the code of Node or postgres.js; undefined when there is none. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
