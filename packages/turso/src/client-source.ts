import type { Client } from '@libsql/client'
import { ClosedError } from '@pgqrs/core/driver'

/** Where a client comes from, and whether it may be thrown away. */
export interface ClientSource {
  /**
   * The client to use now.
   * @throws ClosedError after `close`; what opening it throws.
   */
  current(): Client
  /** Closes this client, which may not recover from an error, so that the next use opens a new one. */
  giveUp(spent: Client): void
  close(): void
}

/** Clients that we open, and therefore close. */
export function ownClient(open: () => Client): ClientSource {
  let client: Client | undefined
  let closed = false
  return {
    current: () => {
      if (closed) throw new ClosedError('The store was closed.')
      client ??= open()
      return client
    },
    giveUp: (spent) => {
      // Somebody else may have given it up already, and its successor is sound.
      if (client !== spent) return
      client = undefined
      spent.close()
    },
    close: () => {
      closed = true
      client?.close()
    },
  }
}

/** The application's client, which is never closed or given up. */
export function applicationClient(client: Client): ClientSource {
  return { current: () => client, giveUp: () => undefined, close: () => undefined }
}
