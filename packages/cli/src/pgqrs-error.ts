import { PgqrsError } from '@pgqrs/core'

/** What every error of pgqrs can tell. */
export type Told = Pick<PgqrsError, 'code' | 'message' | 'retryable'>

/**
 * What an error of pgqrs tells; undefined for any other. A driver that was found in the user's project may bring another
 * copy of core, whose errors are of other classes.
 */
export function toldBy(error: unknown): Told | undefined {
  if (error instanceof PgqrsError) return error
  return error instanceof Error && isTold(error) ? error : undefined
}

function isTold(error: Error & Partial<Told>): error is Error & Told {
  return typeof error.code === 'string' && typeof error.retryable === 'boolean'
}
