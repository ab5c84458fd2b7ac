import type { Driver, Failure } from '../db/driver.js'
import {
  AuthenticationError,
  ConnectionError,
  DatabaseError,
  LeaseLostError,
  NotInstalledError,
  PermissionError,
  PgqrsError,
  SchemaMissingError,
  TerminalError,
  TimeoutError,
  TransientError,
} from '../errors.js'

/**
 * The engine's error for a failure of the database. An error of pgqrs passes unchanged, unless it is the driver's way
 * to say one of the kinds of failure.
 */
export function toPgqrsError(driver: Driver, error: unknown, failure: Failure, doing: string): PgqrsError {
  if (error instanceof PgqrsError && failure.kind === 'other') return error
  const options = { cause: error }
  const detail = failure.detail === undefined ? '' : ` ${failure.detail}`
  const said = error instanceof Error ? error.message : String(error)
  const saidAndDetail = detail === '' || /[.!?]$/.test(said) ? said + detail : `${said}.${detail}`
  switch (failure.kind) {
    case 'unsent':
      return new ConnectionError(`Cannot reach ${driver.target} (${doing}): ${saidAndDetail}`, options)
    case 'broken':
      return new ConnectionError(`The connection to ${driver.target} broke (${doing}): ${said}`, options)
    case 'retry':
      return new DatabaseError(`${driver.target} is too busy (${doing}): ${said}`, {
        ...options,
        retryable: true,
      })
    case 'read_only':
      return new DatabaseError(`${driver.target} takes no writes at the moment (${doing}): ${said}`, {
        ...options,
        retryable: true,
      })
    case 'not_installed':
      return new NotInstalledError(
        `The tables of pgqrs are not in ${driver.target}. Run \`npx pgqrs install\` or store.admin.install().`,
        options,
      )
    case 'schema_missing':
      return new SchemaMissingError(`The schema does not exist in ${driver.target}.${detail}`, options)
    case 'permission':
      return new PermissionError(
        `The database user may not do this on ${driver.target} (${doing}).${detail}`,
        options,
      )
    case 'authentication':
      return new AuthenticationError(`${driver.target} refuses the user or the password.`, options)
    case 'unique':
    case 'other':
      return new DatabaseError(`${driver.target} refused a statement (${doing}): ${saidAndDetail}`, options)
  }
}

/**
 * The kind of failure of the database behind an error of the engine's, or behind a bare error of the client's. What
 * the user's code or a time limit raised stands for itself, whatever its cause.
 */
export function failureBehind(driver: Driver, error: unknown): Failure {
  if (
    error instanceof TimeoutError ||
    error instanceof TerminalError ||
    error instanceof TransientError ||
    error instanceof LeaseLostError
  ) {
    return { kind: 'other' }
  }
  const direct = driver.classify(error)
  // Libraries over the client wrap its errors as well.
  return direct.kind === 'other' && error instanceof Error ? driver.classify(error.cause) : direct
}
