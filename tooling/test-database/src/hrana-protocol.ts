/**
 * The JSON messages of Hrana 2 and 3, the protocol of remote libSQL, as far as @libsql/client speaks them.
 * https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
 */

/** An SQL value on the wire. */
export type HranaValue =
  | { type: 'null' }
  | { type: 'integer'; value: string }
  | { type: 'float'; value: number }
  | { type: 'text'; value: string }
  | { type: 'blob'; base64: string }

/** An SQL value in the engine. */
export type SqlValue = null | bigint | number | string | Buffer

/** SQL as text, or by the number under which the client has stored it. */
export interface SqlReference {
  sql?: string | null
  sql_id?: number | null
}

/** A statement with its arguments. */
export interface Statement extends SqlReference {
  args?: HranaValue[]
  named_args?: { name: string; value: HranaValue }[]
}

/** When a step of a batch runs. */
export type Condition =
  | { type: 'ok' | 'error'; step: number }
  | { type: 'not'; cond: Condition }
  | { type: 'and' | 'or'; conds: Condition[] }
  | { type: 'is_autocommit' }

/** Statements in order, each under a condition on those before it. */
export interface Batch {
  steps: { stmt: Statement; condition?: Condition | null }[]
}

/** What a stream can be asked. */
export type StreamRequest =
  | { type: 'execute'; stmt: Statement }
  | { type: 'batch'; batch: Batch }
  | ({ type: 'sequence' } & SqlReference)
  | { type: 'store_sql'; sql_id: number; sql: string }
  | { type: 'close_sql'; sql_id: number }
  | { type: 'get_autocommit' }
  | { type: 'close' }

/** What a WebSocket client sends. */
export type ClientMessage =
  { type: 'hello'; jwt?: string | null } | { type: 'request'; request_id: number; request: SocketRequest }

/** A request over a WebSocket, which carries many streams. */
export type SocketRequest =
  | { type: 'open_stream'; stream_id: number }
  | { type: 'close_stream'; stream_id: number }
  | { type: 'store_sql'; sql_id: number; sql: string }
  | { type: 'close_sql'; sql_id: number }
  | (StreamRequest & { stream_id: number })

/** An error in an answer. */
export interface WireError {
  message: string
  code: string
}

/** What a statement returned. */
export interface StatementResult {
  cols: { name: string; decltype: string | null }[]
  rows: HranaValue[][]
  affected_row_count: number
  last_insert_rowid: string | null
}

/** An error that has a code of the protocol. */
export class HranaError extends Error {
  override name = 'HranaError'
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message)
  }
}

/** The engine's value as it goes over the wire. Whole numbers must come as bigint: a number is a float. */
export function toWire(value: unknown): HranaValue {
  if (value === null || value === undefined) return { type: 'null' }
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) }
  if (typeof value === 'number') return { type: 'float', value }
  if (typeof value === 'string') return { type: 'text', value }
  return {
    type: 'blob',
    base64: Buffer.from(value as Uint8Array)
      .toString('base64')
      .replace(/=+$/, ''),
  }
}

/** A value from the wire as the engine takes it. */
export function fromWire(value: HranaValue): SqlValue {
  switch (value.type) {
    case 'null':
      return null
    case 'integer':
      return BigInt(value.value)
    case 'blob':
      return Buffer.from(value.base64, 'base64')
    default:
      return value.value
  }
}

/**
 * An error as sqld words it: the primary code of SQLite (`SQLITE_CONSTRAINT`, not `SQLITE_CONSTRAINT_UNIQUE`) and
 * a message that starts with `SQLite error:`.
 */
export function toWireError(error: unknown): WireError {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'INTERNAL'
  if (error instanceof HranaError || !code.startsWith('SQLITE_')) return { message, code }
  if (code === 'SQLITE_ERROR') return { message: `SQL input error: ${message}`, code: 'SQL_INPUT_ERROR' }
  return { message: `SQLite error: ${message}`, code: code.split('_').slice(0, 2).join('_') }
}
