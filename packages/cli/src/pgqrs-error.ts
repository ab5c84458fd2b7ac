import { PgqrsError } from '@pgqrs/core'

/**
 * The error as one of pgqrs's. A driver that was found in the user's project may bring another copy of core, whose
 * errors are of other classes; what they can tell is the same.
 */
export function asPgqrsError(error: unknown): PgqrsError | undefined {
  if (error instanceof PgqrsError) return error
  const isLike =
    error instanceof Error &&
    typeof (error as Partial<PgqrsError>).code === 'string' &&
    typeof (error as Partial<PgqrsError>).retryable === 'boolean'
  return isLike ? (error as PgqrsError) : undefined
}
