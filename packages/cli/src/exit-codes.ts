import { CommanderError } from 'commander'
import { toldBy } from './pgqrs-error.js'

/** What the exit codes of the command mean. */
export const exitCodes = {
  ok: 0,
  /** The question was understood and the answer is no. */
  no: 1,
  usage: 2,
  database: 3,
  bug: 70,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The same for people. */
export const exitCodesHelp = `
Exit codes:
  0   done; the answer is yes
  1   the answer is no: verify found differences, the run failed or has not finished, there is no such thing, it is in
      another state, nobody said yes
  2   wrong usage or bad input: an option, a name, a payload, the configuration, a driver that is not installed
  3   the database cannot be reached or refuses: connection, password, permission, schema, not installed
  70  a bug in pgqrs; PGQRS_DEBUG=1 shows where`

const byCode: Readonly<Record<string, ExitCode>> = {
  RUN_FAILED: exitCodes.no,
  RUN_CANCELLED: exitCodes.no,
  TIMEOUT: exitCodes.no,
  NOT_FOUND: exitCodes.no,
  INVALID_STATE: exitCodes.no,
  KEY_CONFLICT: exitCodes.no,
  ID_CONFLICT: exitCodes.no,
  DECLINED: exitCodes.no,
  INVALID_ARGUMENT: exitCodes.usage,
  INVALID_CONFIG: exitCodes.usage,
  INVALID_PAYLOAD: exitCodes.usage,
  UNSERIALIZABLE: exitCodes.usage,
  DRIVER_MISSING: exitCodes.usage,
  CONFIRMATION_REQUIRED: exitCodes.usage,
  CONNECTION_FAILED: exitCodes.database,
  AUTHENTICATION_FAILED: exitCodes.database,
  PERMISSION_DENIED: exitCodes.database,
  SCHEMA_MISSING: exitCodes.database,
  NOT_INSTALLED: exitCodes.database,
  SCHEMA_VERSION: exitCodes.database,
  DATABASE_ERROR: exitCodes.database,
  AMBIGUOUS_COMMIT: exitCodes.database,
  BACK_PRESSURE: exitCodes.database,
}

/** The exit code for whatever a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const code = toldBy(error)?.code
  return (code === undefined ? undefined : byCode[code]) ?? exitCodes.bug
}
