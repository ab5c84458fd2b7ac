import { ClosedError, type Clock } from '@pgqrs/core/driver'
import type { Connection } from './connection.js'
import { ConnectionLost } from './failure.js'

interface Waiter {
  resolve(connection: Connection): void
  reject(error: unknown): void
}

/** How a pool is run. */
export interface PoolRules {
  readonly max: number
  readonly clock: Clock
  /** Longest time a call waits for a connection, in ms; without it the wait ends with the pool. */
  readonly waitMs?: number
  readonly open: () => Promise<Connection>
}

// Prepared statements pile up in a backend, and a connection outlives a change of where the name of the host leads.
const LIFETIME_MS = 30 * 60_000
const CLOSING_MS = 5000

/** At most so many connections, one user at a time each, first come first served. */
export class Pool {
  readonly #rules: PoolRules
  readonly #idle: Connection[] = []
  readonly #members = new Map<Connection, { readonly bornAt: number; forget(): void }>()
  readonly #waiting = new Set<Waiter>()
  // Counts those that are being opened, too.
  #count = 0
  #opening = 0
  #closed: (() => void) | undefined

  constructor(rules: PoolRules) {
    this.#rules = rules
  }

  /**
   * Gives `work` a connection of its own.
   * @throws ConnectionLost (unsent) when there is none in time, ClosedError, or what `work` throws.
   */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#take()
    try {
      return await work(connection)
    } finally {
      this.#giveBack(connection)
    }
  }

  /** Closes every connection: idle ones now, the others when they are given back or after a few seconds. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return
    const { clock } = this.#rules
    const empty = new Promise<void>((resolve) => (this.#closed = resolve))
    for (const waiter of [...this.#waiting]) waiter.reject(closed())
    const stop = clock.after(CLOSING_MS, () => {
      for (const connection of this.#members.keys())
        connection.kill(new ConnectionLost('the store was closed', true))
      this.#closed?.()
    })
    for (const connection of this.#idle.splice(0)) this.#retire(connection)
    if (this.#count > 0) await empty
    stop()
  }

  #take(): Promise<Connection> {
    if (this.#closed !== undefined) return Promise.reject(closed())
    const connection = this.#idle.pop()
    if (connection !== undefined) return Promise.resolve(connection)
    const { waitMs, clock } = this.#rules
    return new Promise((resolve, reject) => {
      const stop =
        waitMs === undefined
          ? () => {}
          : clock.after(waitMs, () =>
              waiter.reject(new ConnectionLost(`no connection within ${waitMs} ms`, false)),
            )
      const leave = (): void => {
        stop()
        this.#waiting.delete(waiter)
      }
      const waiter: Waiter = {
        resolve: (taken) => {
          leave()
          resolve(taken)
        },
        reject: (error) => {
          leave()
          reject(error)
        },
      }
      this.#waiting.add(waiter)
      this.#openMore()
    })
  }

  // As many at once as there are callers without one.
  #openMore(): void {
    const { max, open } = this.#rules
    if (this.#count >= max || this.#opening >= this.#waiting.size || this.#closed !== undefined) return
    this.#count++
    this.#opening++
    open().then(
      (connection) => {
        this.#opening--
        const bornAt = this.#rules.clock.monotonic()
        this.#members.set(connection, { bornAt, forget: connection.onDeath(() => this.#forget(connection)) })
        this.#giveBack(connection)
      },
      (error: unknown) => {
        this.#opening--
        this.#left()
        first(this.#waiting)?.reject(error)
        this.#openMore()
      },
    )
  }

  #giveBack(connection: Connection): void {
    if (!connection.alive) {
      this.#forget(connection)
      return
    }
    const age = this.#rules.clock.monotonic() - (this.#members.get(connection)?.bornAt ?? 0)
    // A transaction that is still open has lost its owner.
    const fit = connection.status === 'I' && age < LIFETIME_MS
    const next = first(this.#waiting)
    if (this.#closed !== undefined || !fit) this.#retire(connection)
    else if (next !== undefined) next.resolve(connection)
    else this.#idle.push(connection)
  }

  #retire(connection: Connection): void {
    // Still counted until its socket is closed.
    this.#members.get(connection)?.forget()
    void connection.close().then(() => this.#forget(connection))
  }

  #forget(connection: Connection): void {
    if (!this.#members.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    this.#left()
    this.#openMore()
  }

  #left(): void {
    this.#count--
    if (this.#count === 0) this.#closed?.()
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const item of set) return item
  return undefined
}

function closed(): ClosedError {
  return new ClosedError('The connections to the database are closed.')
}
