import { PgqrsError, type Failure } from '@pgqrs/core/driver'

/** No answer came in time. What was asked may have taken effect. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
  readonly code = 'NO_ANSWER'
}

/** What an error of @libsql/client, or of the network under it, means. */
export function classify(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: 'other' }
  const code = codeOf(error)
  return ofSqlite(code, error.message) ?? ofServer(code, error) ?? ofNetwork(code, error) ?? { kind: 'other' }
}

/** Another connection, or an open transaction on the only one, is in the way for now. */
export function isBusy(error: unknown): boolean {
  const code = error instanceof Error ? codeOf(error) : ''
  return /^SQLITE_(BUSY|LOCKED)/.test(code) || code === 'TRANSACTION_ACTIVE'
}

/** The error may have ended the transaction it arose in, so that what follows would not be part of it. */
export function endsTransaction(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if (/^TRANSACTION_|^SQLITE_(FULL|IOERR|NOMEM|INTERRUPT)/.test(codeOf(error))) return true
  return ['unsent', 'broken', 'retry'].includes(classify(error).kind)
}

// The client keeps SQLite's extended code apart; a server sends it, or only the plain one, as the code.
function codeOf(error: Error): string {
  const { code, extendedCode } = error as { code?: unknown; extendedCode?: unknown }
  if (typeof extendedCode === 'string') return extendedCode
  return typeof code === 'string' ? code : ''
}

function ofSqlite(code: string, message: string): Failure | undefined {
  if (/no such table: (main\.)?pgqrs_/.test(message)) return { kind: 'not_installed' }
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return { kind: 'retry', detail: 'Another connection holds the lock of the database.' }
  }
  if (/^SQLITE_CONSTRAINT/.test(code)) {
    return {
      kind:
        /_(UNIQUE|PRIMARYKEY)$/.test(code) || message.includes('UNIQUE constraint failed')
          ? 'unique'
          : 'other',
    }
  }
  if (/^SQLITE_READONLY/.test(code)) return { kind: 'read_only', detail: 'The file cannot be written.' }
  if (/^SQLITE_(PERM|AUTH)$/.test(code))
    return { kind: 'permission', detail: 'Check the rights on the database.' }
  if (/^SQLITE_FULL/.test(code))
    return { kind: 'other', detail: 'The disk is full; nothing of this call was kept.' }
  if (/^SQLITE_IOERR/.test(code)) return { kind: 'other', detail: 'The disk cannot be read or written.' }
  if (/^SQLITE_NOTADB/.test(code)) return { kind: 'other', detail: 'The file is no SQLite database.' }
  if (code === '' && message.startsWith('ConnectionFailed(')) return { kind: 'unsent' }
  return undefined
}

function ofServer(code: string, error: Error): Failure | undefined {
  const status = statusOf(error)
  if (status === 401 || status === 403 || code.startsWith('AUTH_')) return { kind: 'authentication' }
  if (status === 429) return { kind: 'unsent', detail: 'The server refuses more requests for now.' }
  if (status !== undefined) return { kind: status >= 500 ? 'broken' : 'other' }
  if (/^(SQL_WRITES_)?BLOCKED$/.test(code)) return { kind: 'read_only', detail: 'The server blocks writes.' }
  if (/^TRANSACTION_(ACTIVE|BUSY|TIMEOUT)$/.test(code)) return { kind: 'retry' }
  if (code === 'CLIENT_CLOSED') return { kind: 'unsent', detail: 'The client was closed.' }
  return undefined
}

/** The HTTP status a server or a proxy answered with, also when it was asked for a WebSocket. */
function statusOf(error: Error): number | undefined {
  for (const each of chain(error)) {
    const { status } = each as { status?: unknown }
    if (typeof status === 'number') return status
    const refused = /Unexpected server response: (\d{3})/.exec(each.message)?.[1]
    if (refused !== undefined) return Number(refused)
  }
  return undefined
}

const unreachable =
  /\b(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\b/

// Whatever else goes wrong between the request and its answer leaves open whether it was executed.
const interrupted = /^(NO_ANSWER|HRANA_|STREAM_|SERVER_ERROR|INTERNAL_ERROR|PROTOCOL_VERSION_ERROR|UNKNOWN$)/

function ofNetwork(code: string, error: Error): Failure | undefined {
  const fromClient = interrupted.test(code)
  const fromFetch =
    (error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message)) ||
    (error instanceof SyntaxError && error.message.includes('JSON')) ||
    // Those of fetch: pgqrs has a TimeoutError too, which says that the step took too long.
    (/^(Timeout|Abort)Error$/.test(error.name) && !(error instanceof PgqrsError))
  if (!fromClient && !fromFetch) return undefined
  const neverSent = chain(error).some((each) => unreachable.test(`${codeOf(each)} ${each.message}`))
  return { kind: neverSent ? 'unsent' : 'broken' }
}

/** The error and those underneath it. */
function chain(error: Error): Error[] {
  const errors: Error[] = []
  for (let next: unknown = error; next instanceof Error && errors.length < 8; next = next.cause)
    errors.push(next)
  return errors
}
