import postgres, { type Options, type Sql } from 'postgres'
import type { Cancel, Clock, Row, Statement } from '@pgqrs/core/driver'
import { requestCancel, type BackendKey } from './cancel-request.js'
import { dial } from './dial.js'
import { classify, codeOf, ConnectionLost } from './failure.js'
import type { Address, Parameters, RawSocket } from './parameters.js'
import { SilentSocket, type TransactionStatus } from './silent-socket.js'

const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4])
const CANCEL_GRACE_MS = 2000
const FAREWELL_MS = 1000

/*
 * A prepared statement keeps its plan. One that was made while the tables were empty would read and sort all of them
 * when they have grown, until the server analyses them; every statement of the engine has an index to follow instead.
 * Only for a backend of our own: behind a pooler the settings would stay with whoever gets the connection next.
 */
const PLAN_FOR_GROWTH = `select set_config(name, 'off', false)
  from (values ('enable_seqscan'), ('enable_sort'), ('jit')) as settings(name) where pg_backend_pid() = $1::bigint`

/** What a connection is opened for. */
export interface ConnectionUse {
  /** Longest time to open it, all addresses together, in ms. */
  readonly limitMs: number
  readonly clock: Clock
  /** With the types, transforms and hooks of the application's client, as its own transactions have them. */
  readonly asClient?: boolean
  readonly onNotify?: (payload: string) => void
}

/**
 * One connection to the server, for its whole life: it never reconnects. When it dies, what was in flight is
 * rejected, what comes later is rejected unsent, and nothing is thrown anywhere else.
 */
export class Connection {
  /** The client of this one connection. Queries of a user's must pass a `Gate`, ours go through {@link run}. */
  readonly sql: Sql
  readonly #socket: RawSocket
  readonly #silent: SilentSocket
  readonly #clock: Clock
  readonly #onDeath = new Set<(error: Error) => void>()
  readonly #requestCancel: (backend: BackendKey) => Promise<void>
  #backend: BackendKey | undefined
  #death: Error | undefined

  private constructor(
    socket: RawSocket,
    address: Address,
    parameters: Parameters,
    password: string,
    use: ConnectionUse,
  ) {
    this.#socket = socket
    this.#clock = use.clock
    this.#silent = new SilentSocket(socket)
    this.sql = postgres(clientOptions(this.#silent, address, parameters, password, use))
    this.#requestCancel = (backend) => requestCancel(backend, address, parameters, use.clock)
    let failure: Error | undefined
    socket.on('error', (error) => (failure = error))
    socket.on('close', () => {
      this.kill(new ConnectionLost(failure?.message ?? 'the server closed the connection', true, failure))
    })
  }

  /**
   * Opens a connection to the first address that takes it.
   * @throws ConnectionLost (unsent) or the server's error.
   */
  static async open(parameters: Parameters, use: ConnectionUse): Promise<Connection> {
    let failure: unknown
    const limitMs = use.limitMs / parameters.addresses.length
    for (const address of parameters.addresses) {
      try {
        return await Connection.#openAt(address, parameters, { ...use, limitMs })
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }

  static async #openAt(address: Address, parameters: Parameters, use: ConnectionUse): Promise<Connection> {
    const abort = new AbortController()
    const late = new ConnectionLost(`no connection within ${Math.round(use.limitMs)} ms`, false)
    let connection: Connection | undefined
    let stop: Cancel = () => {}
    const tooLate = new Promise<never>((_, reject) => {
      stop = use.clock.after(use.limitMs, () => reject(late))
    })
    const attempt = async (): Promise<Connection> => {
      const { password } = parameters
      // Here and not in postgres.js, where a rejection of the application's function would be nobody's.
      const secret = typeof password === 'function' ? await password() : password
      const socket = await dial(address, parameters, abort.signal)
      connection = new Connection(socket, address, parameters, secret, use)
      await connection.#begin(use.asClient === true)
      return connection
    }
    try {
      return await Promise.race([attempt(), tooLate])
    } catch (error) {
      connection?.kill(late)
      // Destroys the socket, also one that is still to come.
      abort.abort()
      // Nothing of the caller's was sent yet, however the connection ended.
      if (error instanceof ConnectionLost && !error.sent) throw error
      if (classify(error).kind !== 'broken') throw error
      throw new ConnectionLost(whyNotOpened(error, parameters), false, error)
    } finally {
      stop()
    }
  }

  async #begin(asClient: boolean): Promise<void> {
    const result = await this.untilDeath(this.sql.unsafe('select 1'))
    this.#backend = result.state
    // A pooler answers with a process id of its own making.
    if (!asClient) await this.untilDeath(this.sql.unsafe(PLAN_FOR_GROWTH, [this.#backend.pid]))
  }

  /** Whether it can still be used. */
  get alive(): boolean {
    return this.#death === undefined
  }

  /** Why it cannot be used any more. */
  get death(): Error | undefined {
    return this.#death
  }

  /** Whether a transaction is open on it, as the server last said. */
  get status(): TransactionStatus | undefined {
    return this.#silent.status
  }

  /** Calls back once it is dead; returns how to take that back. */
  onDeath(listener: (error: Error) => void): () => void {
    if (this.#death === undefined) this.#onDeath.add(listener)
    else listener(this.#death)
    return () => this.#onDeath.delete(listener)
  }

  /** Settles like the promise, or rejects with the reason when the connection dies first. */
  untilDeath<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const forget = this.onDeath(reject)
      promise.then(
        (value) => {
          forget()
          resolve(value)
        },
        (error: unknown) => {
          forget()
          // The error as it is, whatever it is.
          reject(error)
        },
      )
    })
  }

  /**
   * Executes a statement. When no answer comes within `limitMs` it is cancelled, and when that is not answered
   * either the connection is given up.
   * @throws ConnectionLost or the server's error.
   */
  async run({ sql: text, parameters }: Statement, limitMs?: number): Promise<Row[]> {
    if (this.#death !== undefined) throw new ConnectionLost(this.#death.message, false, this.#death)
    const stop = limitMs === undefined ? () => {} : this.#limit(limitMs)
    try {
      const query = this.sql.unsafe<Row[]>(text, parameters as never[], { prepare: true })
      return await this.untilDeath(query)
    } finally {
      stop()
    }
  }

  #limit(limitMs: number): Cancel {
    let stop = this.#clock.after(limitMs, () => {
      this.cancel()
      stop = this.#clock.after(CANCEL_GRACE_MS, () => {
        this.kill(new ConnectionLost(`no answer within ${limitMs} ms`, true))
      })
    })
    return () => stop()
  }

  /** Executes a command without parameters or rows; returns its tag, such as `COMMIT`. */
  async command(text: string, limitMs?: number): Promise<string> {
    const rows = await this.run({ sql: text, parameters: [], reads: false }, limitMs)
    return 'command' in rows && typeof rows.command === 'string' ? rows.command : ''
  }

  /** Asks the server to cancel the statement that is running. Nobody says whether it did. */
  cancel(): void {
    if (this.#backend !== undefined) this.#requestCancel(this.#backend).catch(() => {})
  }

  /** Ends it at once, for the reason given. Does nothing when it is dead. */
  kill(reason: Error): void {
    if (!this.#die(reason)) return
    this.#socket.destroy()
    // Last, because it hands its error to queries that were rejected before. Not while it is being opened:
    // postgres.js then waits for the types of arrays in a promise that nobody holds.
    if (this.#backend !== undefined) this.#silent.fail(reason)
  }

  /** Says good-bye to the server. Resolves when the socket is closed. */
  async close(): Promise<void> {
    if (this.#die(new ConnectionLost('the connection was closed', true))) {
      if (this.#socket.writable) this.#socket.write(TERMINATE)
      this.#socket.end()
    }
    if (this.#socket.closed) return
    await new Promise<void>((resolve) => {
      const stop = this.#clock.after(FAREWELL_MS, () => void this.#socket.destroy())
      this.#socket.once('close', () => {
        stop()
        resolve()
      })
    })
  }

  #die(reason: Error): boolean {
    if (this.#death !== undefined) return false
    this.#death = reason
    for (const listener of [...this.#onDeath]) listener(reason)
    this.#onDeath.clear()
    return true
  }
}

function whyNotOpened(error: unknown, { client }: Parameters): string {
  const wanted = client.target_session_attrs
  // How postgres.js turns away from a server that is another than wanted.
  if (wanted !== undefined && codeOf(error) === 'CONNECTION_DESTROYED') return `the server is not ${wanted}`
  return (error as Error).message
}

function clientOptions(
  socket: SilentSocket,
  address: Address,
  parameters: Parameters,
  password: string,
  { asClient = false, onNotify }: ConnectionUse,
): Options<Record<string, postgres.PostgresType>> {
  const { client } = parameters
  let taken = false
  const options = {
    ...('path' in address ? { host: 'localhost' } : { host: address.host, port: address.port }),
    database: parameters.database,
    user: parameters.user,
    password,
    connection: client.connection,
    keep_alive: client.keep_alive,
    target_session_attrs: client.target_session_attrs,
    prepare: parameters.prepare,
    ...(asClient ? { debug: client.debug, transform: client.transform, types: client.types } : {}),
    // Arrays as parameters need it; the engine's statements pass them as text.
    fetch_types: asClient && client.fetch_types,
    onnotice: (asClient ? client.onnotice : undefined) ?? (() => {}),
    onnotify: (_channel: string, payload: string) => onNotify?.(payload),
    max: 1,
    // TLS, limits and the end of the connection are not the business of postgres.js here.
    ssl: false,
    connect_timeout: 0,
    idle_timeout: 0,
    max_lifetime: 0,
    backoff: () => 0,
    socket: () => {
      if (taken) throw new ConnectionLost('a connection is never opened twice', false)
      taken = true
      return socket
    },
  }
  return options
}
