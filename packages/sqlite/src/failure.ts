import type { Failure } from '@pgqrs/core/driver'

/** The application's own transaction is open on the connection: what we wrote now would become part of it. */
export class OpenTransactionError extends Error {
  readonly code = 'SQLITE_BUSY_TRANSACTION'

  constructor() {
    super(
      'a transaction of the application is open on its Database; end it, or pass the Database as tx to be part of it',
    )
  }
}

/** What an error of better-sqlite3 means. */
export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: 'other' }
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) {
    return typeof message === 'string' && message === 'The database connection is not open'
      ? { kind: 'unsent' }
      : { kind: 'other' }
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return { kind: 'retry' }
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
    return { kind: 'unique' }
  if (code.startsWith('SQLITE_READONLY')) return { kind: 'read_only' }
  if (code === 'SQLITE_PERM' || code === 'SQLITE_AUTH')
    return { kind: 'permission', detail: 'Check the rights on the file.' }
  if (
    code === 'SQLITE_ERROR' &&
    typeof message === 'string' &&
    /no such table: (main\.)?pgqrs_/.test(message)
  ) {
    return { kind: 'not_installed' }
  }
  if (code === 'SQLITE_NOTADB') return { kind: 'other', detail: 'The file is no SQLite database.' }
  if (code === 'SQLITE_FULL')
    return { kind: 'other', detail: 'The disk is full; nothing of this call was kept.' }
  return { kind: 'other' }
}
