import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'libsql'
import { WebSocketServer } from 'ws'
import { createFaultSwitch, type LibsqlFault } from './hrana-faults.js'
import { createHttpHalf } from './hrana-http.js'
import { serveWebSocket } from './hrana-websocket.js'
import { openKeeper } from './keeper.js'

/** What `startLibsqlServer` can be told. */
export interface LibsqlServerOptions {
  /** The database file to serve, which then stays. By default one in a directory that goes with the server. */
  file?: string
  /** By default a free one. */
  port?: number
  /** What clients must send as `authToken`. By default anything goes. */
  token?: string
}

/** A running stand-in for a remote libSQL server. */
export interface LibsqlServer {
  /** `http://127.0.0.1:port` */
  readonly httpUrl: string
  /** `ws://127.0.0.1:port` */
  readonly wsUrl: string
  /** How many requests have come that may execute something: HTTP pipelines and WebSocket statements and batches. */
  requests(): number
  /** Makes the next request, or the next `count` of them, fail. Replaces what was armed before. */
  fail(next: LibsqlFault): void
  /** Cuts all connections, rolls open transactions back, and removes the directory. May be called twice. */
  stop(): Promise<void>
}

/**
 * Starts a stand-in for a remote libSQL server on 127.0.0.1: Hrana 2 and 3 as JSON, over HTTP and WebSocket, with
 * the real libSQL engine behind. It is no sqld: there is no TLS, no replication and hence no embedded replica, no
 * signed tokens, no protobuf, no cursors, and of several statements in one `execute` only the first runs.
 * Codes of errors, waiting for a lock (5 s) and the expiry of idle HTTP streams (10 s) are sqld's.
 * @throws {Error} when the port is taken or the file cannot be opened.
 */
export async function startLibsqlServer(options: LibsqlServerOptions = {}): Promise<LibsqlServer> {
  const keeper = await openKeeper()
  try {
    const file = options.file ?? join(keeper.directory, 'libsql.db')
    const db = new Database(file)
    db.exec('pragma journal_mode = wal')
    db.close()
    const faults = createFaultSwitch()
    let requests = 0
    const context = {
      file,
      token: options.token,
      admit() {
        requests += 1
        return faults.take()
      },
    }
    const http = createHttpHalf(context)
    const server = createServer((request, response) => void http.listener(request, response))
    const sockets = new WebSocketServer({
      server,
      handleProtocols: (offered) => (offered.has('hrana3') ? 'hrana3' : 'hrana2'),
    })
    sockets.on('connection', (socket) => serveWebSocket(socket, context))
    // The errors of the server appear here, too; `listening` below reports the only one.
    sockets.on('error', () => {})
    server.listen(options.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    let stopped: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      http.close()
      await keeper.close()
    }
    return {
      httpUrl: `http://127.0.0.1:${port}`,
      wsUrl: `ws://127.0.0.1:${port}`,
      requests: () => requests,
      fail: (next) => faults.arm(next),
      stop: () => (stopped ??= stop()),
    }
  } catch (error) {
    await keeper.close()
    throw error
  }
}
