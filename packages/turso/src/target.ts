import { ConfigError, display } from '@pgqrs/core/driver'
import { existsSync } from 'node:fs'

/** Where a database is. */
export interface Target {
  readonly kind: 'file' | 'memory' | 'remote'
  /** As the client takes it, without a token. */
  readonly url: string
  /** A token that was part of the DSN. */
  readonly authToken?: string
}

const FORMS =
  'Use libsql://, https://, http://, wss:// or ws:// and a host, or file: and a path; turso: may stand before any of them, ' +
  'before a host of turso.io, or before a path.'

/**
 * Reads a DSN.
 * @throws ConfigError; a token in the DSN is never part of the message.
 */
export function parseTarget(dsn: string): Target {
  if (dsn === ':memory:' || dsn === 'file::memory:' || dsn === 'turso::memory:') {
    return { kind: 'memory', url: ':memory:' }
  }
  const [, scheme = '', rest = ''] = /^([a-z]+):(.*)$/is.exec(dsn) ?? []
  switch (scheme.toLowerCase()) {
    case 'libsql':
    case 'https':
    case 'http':
    case 'wss':
    case 'ws':
      return remote(dsn)
    case 'file':
      return file(dsn, rest)
    case 'turso':
      return prefixed(rest)
    default:
      throw new ConfigError(`${display(withoutSecrets(dsn))} is no address of a libSQL database. ${FORMS}`)
  }
}

/**
 * The client makes every file it does not find.
 * @throws ConfigError when the file of this target is not there.
 */
export function mustExist({ url }: Target): void {
  const path = decodeURIComponent(url.replace(/^file:(\/\/[^/]*)?/i, ''))
  if (existsSync(path)) return
  throw new ConfigError(
    `There is no database file ${display(path)}. Correct the DSN, or make the file with \`npx pgqrs install\`.`,
  )
}

function prefixed(rest: string): Target {
  if (/^(libsql|https?|wss?|file):/i.test(rest)) return parseTarget(rest)
  if (rest.startsWith('///')) return parseTarget(`file:${rest}`)
  if (rest.startsWith('//')) return parseTarget(`libsql:${rest}`)
  if (/^[a-z0-9.-]+\.turso\.io(\/?$|[/?])/i.test(rest)) return parseTarget(`libsql://${rest}`)
  // In a URL these three would not be part of the path.
  return parseTarget(`file:${rest.replace(/[%?#]/g, encodeURIComponent)}`)
}

function file(dsn: string, rest: string): Target {
  const [, host = '', path = ''] = /^(?:\/\/([^/?#]*))?([^?#]*)$/s.exec(rest) ?? []
  if (path === '' || (host !== '' && host.toLowerCase() !== 'localhost')) {
    throw new ConfigError(
      `${display(dsn)} is no file: write file:app.db for a relative path and file:/var/lib/app.db for an absolute one, ` +
        'without a query.',
    )
  }
  return { kind: 'file', url: dsn }
}

function remote(dsn: string): Target {
  const problem = (what: string): never => {
    throw new ConfigError(`${display(withoutSecrets(dsn))}: ${what}`)
  }
  if (!URL.canParse(dsn)) return problem(`that is no URL. ${FORMS}`)
  const url = new URL(dsn)
  if (url.hostname === '') return problem('there is no host.')
  if (url.username !== '' || url.password !== '')
    return problem('libSQL knows no user; give a token as authToken.')
  if (url.hash !== '') return problem('what follows the # has no meaning.')
  const authToken = url.searchParams.get('authToken')
  url.searchParams.delete('authToken')
  for (const [name, value] of url.searchParams) {
    if (name !== 'tls' || !/^[01]$/.test(value))
      return problem(`only authToken and tls=0 or tls=1 may follow the ?.`)
  }
  return { kind: 'remote', url: url.href, ...(authToken === null ? {} : { authToken }) }
}

function withoutSecrets(dsn: string): string {
  return dsn.replace(/\/\/[^/?#]*@/, '//').replace(/[?#].*$/s, '')
}
