/** What every error of pgqrs can tell besides its message. */
export interface PgqrsErrorOptions {
  /** The error underneath, usually the database client's. */
  readonly cause?: unknown
  /** May the same call succeed when it is repeated later without a change? */
  readonly retryable?: boolean
}

/**
 * The base of every error pgqrs raises. `code` is stable across releases and meant for programs; `message` names
 * the thing and the fix and is meant for people; `retryable` says whether repeating the call can help.
 */
export class PgqrsError extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(code: string, message: string, options: PgqrsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** Options, environment or `pgqrs.yaml` hold something that cannot be right. */
export class ConfigError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('INVALID_CONFIG', message, options)
  }
}

/** An argument (a name, a duration, a limit) cannot be right. Raised before any I/O. */
export class InvalidArgumentError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('INVALID_ARGUMENT', message, options)
  }
}

/** A value cannot be stored so that the very same value comes back. `path` says where in it. */
export class SerializationError extends PgqrsError {
  readonly path: string
  constructor(path: string, what: string, options?: PgqrsErrorOptions) {
    super('UNSERIALIZABLE', `${path}: ${what}`, options)
    this.path = path
  }
}

/** A payload breaks a limit or does not fit its schema. Raised before any I/O; a batch is refused whole. */
export class PayloadError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('INVALID_PAYLOAD', message, options)
  }
}

/** The producer's own rate limit refuses the call for now. Raised before any I/O. */
export class RateLimitedError extends PgqrsError {
  /** After how many milliseconds the call would be let through; Infinity for a batch that never would be. */
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number) {
    super('RATE_LIMITED', message, { retryable: Number.isFinite(retryAfterMs) })
    this.retryAfterMs = retryAfterMs
  }
}

/** More calls wait for the database than the store is willing to hold in memory. */
export class BackPressureError extends PgqrsError {
  constructor(message: string) {
    super('BACK_PRESSURE', message, { retryable: true })
  }
}

/** The package that speaks to this database is not installed. */
export class DriverMissingError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('DRIVER_MISSING', message, options)
  }
}

/** The database cannot be reached, or the connection broke and what was sent had no effect. */
export class ConnectionError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('CONNECTION_FAILED', message, { retryable: true, ...options })
  }
}

/** The database refuses the user or the password (which is never part of the message). */
export class AuthenticationError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('AUTHENTICATION_FAILED', message, options)
  }
}

/** The database user may not do this. The message holds the GRANT that is needed. */
export class PermissionError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('PERMISSION_DENIED', message, options)
  }
}

/** The Postgres schema does not exist. pgqrs creates tables, never schemas. */
export class SchemaMissingError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('SCHEMA_MISSING', message, options)
  }
}

/** The tables of pgqrs are not there yet. */
export class NotInstalledError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('NOT_INSTALLED', message, options)
  }
}

/** The tables are of a version this code cannot work with. */
export class SchemaVersionError extends PgqrsError {
  readonly installed: number
  readonly required: number
  constructor(message: string, installed: number, required: number) {
    super('SCHEMA_VERSION', message)
    this.installed = installed
    this.required = required
  }
}

/** The database refused a statement for a reason no other class names. */
export class DatabaseError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('DATABASE_ERROR', message, options)
  }
}

/**
 * The connection broke after the call was sent and the engine could not find out whether it took effect. Repeating
 * the call with the same ids never duplicates.
 */
export class AmbiguousCommitError extends PgqrsError {
  /** Ids of the messages whose fate is unknown. */
  readonly ids: readonly string[]
  constructor(message: string, ids: readonly string[], options?: PgqrsErrorOptions) {
    super('AMBIGUOUS_COMMIT', message, { retryable: true, ...options })
    this.ids = ids
  }
}

/** Positions in the source of a stream: from the first, counted from 0, up to and without `to`. */
export interface SourceRange {
  readonly from: number
  readonly to: number
}

/** A stream of messages ended before its source did. `cause` is what went wrong. */
export class EnqueueStreamError extends PgqrsError {
  /** Messages that are enqueued. */
  readonly enqueued: number
  /** What of the source is committed, in its order. */
  readonly committed: readonly SourceRange[]
  /** What of the source may or may not be committed, because an answer was lost. All the rest is certainly absent. */
  readonly uncertain: readonly SourceRange[]
  constructor(
    message: string,
    came: Pick<EnqueueStreamError, 'enqueued' | 'committed' | 'uncertain'>,
    options?: PgqrsErrorOptions,
  ) {
    super('STREAM_ENDED', message, options)
    this.enqueued = came.enqueued
    this.committed = came.committed
    this.uncertain = came.uncertain
  }
}

/** A message with this id exists and has another payload. */
export class IdConflictError extends PgqrsError {
  readonly id: string
  constructor(message: string, id: string) {
    super('ID_CONFLICT', message)
    this.id = id
  }
}

/** A message with this key is there already and the caller asked to be told (or it can no longer be replaced). */
export class KeyConflictError extends PgqrsError {
  readonly key: string
  /** Id of the message that holds the key. */
  readonly id: string
  constructor(message: string, key: string, id: string) {
    super('KEY_CONFLICT', message)
    this.key = key
    this.id = id
  }
}

/** The lease is no longer held: it lapsed and was granted to somebody else, or the message was finished. */
export class LeaseLostError extends PgqrsError {
  readonly id: string
  constructor(message: string, id: string) {
    super('LEASE_LOST', message)
    this.id = id
  }
}

/** What was named does not exist. The message names the nearest thing that does. */
export class NotFoundError extends PgqrsError {
  constructor(message: string) {
    super('NOT_FOUND', message)
  }
}

/** The thing exists, but not in a state that allows this. */
export class InvalidStateError extends PgqrsError {
  constructor(message: string) {
    super('INVALID_STATE', message)
  }
}

/** A wait or a step took longer than it was given. */
export class TimeoutError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('TIMEOUT', message, { retryable: true, ...options })
  }
}

/** The run was cancelled. Also thrown inside the run at the first boundary after the cancellation was seen. */
export class RunCancelledError extends PgqrsError {
  readonly id: string
  constructor(message: string, id: string) {
    super('RUN_CANCELLED', message)
    this.id = id
  }
}

/** The run failed for good; `cause` is the error its workflow threw. */
export class RunFailedError extends PgqrsError {
  readonly id: string
  constructor(message: string, id: string, options?: PgqrsErrorOptions) {
    super('RUN_FAILED', message, options)
    this.id = id
  }
}

/** A step name was used again while a step of that name was in flight, without a `key` to tell them apart. */
export class DuplicateStepError extends PgqrsError {
  constructor(message: string) {
    super('DUPLICATE_STEP', message)
  }
}

/** The workflow's code no longer fits the run's history. Nothing was executed; the message shows the difference. */
export class ReplayDivergedError extends PgqrsError {
  constructor(message: string) {
    super('REPLAY_DIVERGED', message)
  }
}

/** The store, worker or consumer was closed before the call. */
export class ClosedError extends PgqrsError {
  constructor(message: string) {
    super('CLOSED', message)
  }
}

/** The call's `signal` was aborted. */
export class AbortedError extends PgqrsError {
  constructor(message: string, options?: PgqrsErrorOptions) {
    super('ABORTED', message, options)
  }
}

/** Throw it from a handler or step to say: try again, optionally not before `retryAfter` (ms or `'30s'`). */
export class TransientError extends PgqrsError {
  readonly retryAfter: number | string | undefined
  constructor(
    message: string,
    options: { cause?: unknown; retryAfter?: number | string; code?: string } = {},
  ) {
    super(options.code ?? 'TRANSIENT', message, { cause: options.cause, retryable: true })
    this.retryAfter = options.retryAfter
  }
}

/** Throw it from a handler or step to say: never try this again. */
export class TerminalError extends PgqrsError {
  constructor(message: string, options: { cause?: unknown; code?: string } = {}) {
    super(options.code ?? 'TERMINAL', message, { cause: options.cause })
  }
}
