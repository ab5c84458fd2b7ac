// Parameters of a DSN that tell nobody anything; whatever else stands behind the ? may be a secret.
const harmless = new Set([
  'application_name',
  'channel_binding',
  'connect_timeout',
  'host',
  'mode',
  'options',
  'port',
  'prepare',
  'schema',
  'search_path',
  'ssl',
  'sslmode',
  'target_session_attrs',
  'tls',
  'user',
])

/**
 * A DSN without its secrets. It need not be well-formed: a password that holds a `/` or `@` nobody encoded is hidden as
 * well, at the price that more than the password may be.
 */
export function maskDsn(dsn: string): string {
  const end = dsn.indexOf('://')
  if (end < 0) return maskParameters(dsn)
  const rest = dsn.slice(end + 3)
  const at = Math.max(rest.lastIndexOf('@'), 0)
  const [name = '', ...password] = rest.slice(0, at).split(':')
  const user = password.length === 0 ? name : `${name}:***`
  return `${dsn.slice(0, end + 3)}${user}${maskParameters(rest.slice(at))}`
}

function maskParameters(text: string): string {
  return text
    .replace(/([?&;])([^=&;#]*)=([^&;#]*)/g, (all, before: string, name: string) =>
      harmless.has(name.toLowerCase()) ? all : `${before}${name}=***`,
    )
    .replace(/((?:password|pwd|token|secret)\s*=\s*)[^\s&;*]+/gi, '$1***')
}

/** Whether {@link maskDsn} hides something. */
export function holdsSecret(dsn: string): boolean {
  return maskDsn(dsn) !== dsn
}

/** A text in which every DSN is masked. */
export function maskSecrets(text: string): string {
  return text.replace(/[a-z][a-z0-9+.-]*:\/\/[^\s'"`]+/gi, maskDsn)
}
