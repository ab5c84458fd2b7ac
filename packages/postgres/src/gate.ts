import type { PendingQuery } from 'postgres'
import { TransactionOver } from './failure.js'

/** A query of postgres.js that is not sent yet. It sends itself, through `handler`, when somebody waits for it. */
interface Unsent extends Promise<unknown> {
  handler: ((query: unknown) => unknown) & { debug?: unknown }
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

/**
 * Decides whether queries may still be sent. A query of postgres.js is sent when it is awaited, which may be long
 * after it was made, so each is looked at at that moment.
 */
export class Gate {
  /** The first error a statement failed with. */
  failure: unknown
  #refusal: Error | undefined
  readonly #inFlight = new Set<Unsent>()
  readonly #waitingForCalm: (() => void)[] = []

  /**
   * The same query, which this gate will look at when it is about to be sent. What is no query passes unchanged.
   * @throws TransactionOver when this version of postgres.js makes queries that cannot be held back.
   */
  guard<T>(made: T): T {
    if (!(made instanceof Promise)) return made
    const query: Promise<unknown> = made
    if (!isUnsent(query))
      throw new TransactionOver('This version of postgres.js is not supported by @pgqrs/postgres.')
    const send = query.handler
    query.handler = Object.assign(
      () => {
        this.#admit(query, send)
      },
      { debug: send.debug },
    )
    return made
  }

  /** From now on queries are rejected with `refusal`; those in flight are rejected with `broken`, when it is given. */
  shut(refusal: Error, broken?: Error): void {
    this.#refusal ??= refusal
    if (broken !== undefined) for (const query of [...this.#inFlight]) query.reject(broken)
  }

  /** Resolves when nothing is in flight. */
  async calm(): Promise<void> {
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => this.#waitingForCalm.push(resolve))
  }

  #admit(query: Unsent, send: Unsent['handler']): void {
    // Marks it as handled: a query nobody waits for must not end the process. Who waits is told all the same.
    void query.catch(() => {})
    if (this.#refusal !== undefined) {
      query.reject(this.#refusal)
      return
    }
    onSettled(query, (error) => {
      if (error !== undefined) this.failure ??= error
      this.#inFlight.delete(query)
      if (this.#inFlight.size === 0) for (const wake of this.#waitingForCalm.splice(0)) wake()
    })
    this.#inFlight.add(query)
    try {
      send(query)
    } catch (error) {
      query.reject(error)
    }
  }
}

// Accessors, because a cursor replaces both with every batch that it is asked for.
function onSettled(query: Unsent, settled: (error: unknown) => void): void {
  let { resolve, reject } = query
  void Object.defineProperties(query, {
    resolve: {
      get: () => (value: unknown) => {
        settled(undefined)
        resolve(value)
      },
      set: (replacement: typeof resolve) => (resolve = replacement),
    },
    reject: {
      get: () => (error: unknown) => {
        settled(error)
        reject(error)
      },
      set: (replacement: typeof reject) => (reject = replacement),
    },
  })
}

function isUnsent(query: object): query is Unsent {
  return (
    'handler' in query &&
    typeof query.handler === 'function' &&
    'resolve' in query &&
    typeof query.resolve === 'function' &&
    'reject' in query &&
    typeof query.reject === 'function'
  )
}

/** Rows of any query. */
export type AnyQuery = PendingQuery<Record<string, unknown>[]>
