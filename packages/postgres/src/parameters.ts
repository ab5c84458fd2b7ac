import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import postgres, { type ParsedOptions, type Sql } from 'postgres'
import { ConfigError } from '@pgqrs/core/driver'

/** What carries a connection: a socket of Node's, or a stream that an application made instead. */
export type RawSocket = Duplex & {
  readonly connecting?: boolean
  setKeepAlive?(on: boolean, afterMs: number): unknown
}

/** Where a server listens. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string }

/** All that is needed to open connections of our own. Holds the password: never print it. */
export interface Parameters {
  /** Tried in this order. */
  readonly addresses: readonly Address[]
  readonly database: string
  readonly user: string
  readonly password: string | (() => string | Promise<string>)
  readonly ssl: boolean | string | ConnectionOptions
  /** TLS from the first byte on, without asking. */
  readonly directTls: boolean
  readonly prepare: boolean
  /** The application's own way to a socket, for instance through a tunnel. */
  readonly openSocket?: (() => Promise<RawSocket>) | undefined
  /** What only a user's transaction has: types, transforms and other options of the application's client. */
  readonly client: ClientOptions
}

type ClientOptions = Pick<
  ParsedOptions,
  | 'connection'
  | 'debug'
  | 'fetch_types'
  | 'keep_alive'
  | 'onnotice'
  | 'target_session_attrs'
  | 'transform'
  | 'types'
>

// What postgres.js keeps in `options` besides, or types otherwise than it is.
interface Hidden {
  readonly pass: string | (() => string | Promise<string>)
  readonly path: string | false | undefined
  readonly socket?: ((options: unknown) => RawSocket | Promise<RawSocket>) | undefined
  readonly sslnegotiation?: string | null
  readonly ssl: boolean | string | ConnectionOptions
}

/**
 * The parameters a client of the application's was made with.
 * @throws ConfigError when it is no client of postgres.js.
 */
export function parametersOfClient(client: Sql, prepare: boolean): Parameters {
  if (!isClient(client)) {
    throw new ConfigError(
      'connect: client must be a client of postgres.js, as postgres(…) makes it. Of any other client give the DSN.',
    )
  }
  const { options } = client
  const { pass, path, socket, sslnegotiation, ssl } = options as unknown as Hidden
  const addresses =
    typeof path === 'string'
      ? [{ path }]
      : options.host.map((host, i) => ({ host, port: Number(options.port[i] ?? options.port[0]) }))
  return {
    addresses,
    database: options.database,
    user: options.user,
    password: pass,
    ssl,
    directTls: sslnegotiation === 'direct',
    // PgBouncer's users turn it off in one place or the other; either must count.
    prepare: prepare && options.prepare,
    openSocket: socket && (async () => socket(options)),
    client: options,
  }
}

function isClient(value: unknown): value is Sql {
  return typeof value === 'function' && 'begin' in value && 'options' in value
}

/**
 * The parameters in a DSN, by the rules of postgres.js (multiple hosts, `?sslmode=`, settings of the session), with
 * libpq's `?user=`, `?password=`, `?host=`, `?port=` and `?dbname=` besides.
 * @throws ConfigError that says what is wrong and never repeats the DSN.
 */
export function parametersOfDsn(dsn: string, prepare: boolean): Parameters {
  const { text, parts } = split(dsn)
  try {
    const client = postgres(text, {
      ...parts,
      connection: { application_name: process.env['PGAPPNAME'] ?? 'pgqrs' },
      onnotice: () => {},
    })
    return parametersOfClient(client, prepare)
  } catch {
    // The error of postgres.js repeats the DSN, so it is not even the cause.
    throw new ConfigError(
      'The DSN cannot be read. It must look like postgres://user:password@host:5432/database.',
    )
  }
}

/** User, host, port, database and schema: for messages. */
export function describe({ addresses, database, user }: Parameters, schema: string | undefined): string {
  const hosts = addresses.map((a) => ('path' in a ? a.path : `${a.host}:${a.port}`)).join(',')
  return `${user}@${hosts}/${database}${schema === undefined ? '' : `, schema ${schema}`}`
}

const libpq = { user: 'user', password: 'password', host: 'host', port: 'port', dbname: 'database' } as const
type Parts = { -readonly [Name in (typeof libpq)[keyof typeof libpq]]?: string }

function split(dsn: string): { text: string; parts: Omit<Parts, 'port'> & { port?: number } } {
  if (!/^postgres(ql)?:\/\//i.test(dsn)) {
    throw new ConfigError('The DSN of a Postgres must begin with postgres:// or postgresql://.')
  }
  const [front, query] = halves(dsn, '?')
  checkFront(front, query)
  const settings = new URLSearchParams(query)
  checkTls(settings)
  const database = front.split('/').slice(3).join('/')
  // postgres.js would take the name as it is encoded.
  const parts: Parts = database.includes('%') ? { database: decodeURIComponent(database) } : {}
  for (const [name, part] of Object.entries(libpq)) {
    const value = settings.get(name)
    if (value === null) continue
    parts[part] = value
    settings.delete(name)
  }
  const { port, ...rest } = parts
  const text = settings.size === 0 ? front : `${front}?${settings.toString()}`
  return { text, parts: port === undefined ? rest : { ...rest, port: checkPort(port) } }
}

const insteadOf = {
  channel_binding: 'Write sslmode=verify-full instead, which makes sure of the server, too.',
  sslrootcert: 'Name its file in NODE_EXTRA_CA_CERTS, or give a client of your own with ssl: { ca }.',
  sslcert: 'Give a client of your own with ssl: { cert, key }.',
  sslkey: 'Give a client of your own with ssl: { cert, key }.',
} as const

// postgres.js would leave out what these ask for, and send them to the server, which takes them for settings.
function checkTls(settings: URLSearchParams): void {
  if (settings.get('channel_binding') !== 'require') settings.delete('channel_binding')
  if (settings.get('sslrootcert') === 'system') {
    settings.delete('sslrootcert')
    settings.set('sslmode', 'verify-full')
  }
  for (const [name, instead] of Object.entries(insteadOf)) {
    if (settings.has(name))
      throw new ConfigError(`The DSN has ${name}, which postgres.js does not know. ${instead}`)
  }
}

const ENCODE = 'When the user or the password contains / ? # @ or %, write it percent-encoded.'

// Each of these would make postgres.js throw something that repeats the DSN, or connect somewhere else and say where.
function checkFront(front: string, query: string): void {
  const [authority = '', ...path] = front.slice(front.indexOf('//') + 2).split('/')
  const at = authority.lastIndexOf('@')
  if (
    authority.indexOf('@') !== at ||
    front.includes('#') ||
    path.join('/').includes('@') ||
    (at < 0 && query.includes('@'))
  ) {
    throw new ConfigError(`The DSN has an @ or a # in the wrong place. ${ENCODE}`)
  }
  if (/\s/.test(front)) throw new ConfigError('The DSN contains a space.')
  if (!decodes(front)) throw new ConfigError(`The DSN has a % that begins no percent-encoding. ${ENCODE}`)
  for (const host of decodeURIComponent(authority.slice(at + 1)).split(',')) {
    const port = /:([^:\]]*)$/.exec(host)?.[1]
    if (port !== undefined && port !== '') checkPort(port)
  }
}

// The port is never shown: in a DSN whose password holds a / it is a piece of the password.
function checkPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port
  throw new ConfigError(`The port in the DSN is not a number from 1 to 65535. ${ENCODE}`)
}

function halves(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
