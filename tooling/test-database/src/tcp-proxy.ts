import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createDroppedAnswers } from './dropped-answers.js'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { proxyConnection, type ProxiedConnection } from './proxied-connection.js'
import type { LaneRules } from './proxy-lane.js'

/** A TCP proxy on 127.0.0.1 that misbehaves on request. Faults last until `heal()`. */
export interface TcpProxy {
  /** The target's dsn by way of the proxy; `127.0.0.1:port` when the target was given as host and port. */
  readonly dsn: string
  readonly port: number
  /** How many client connections are open. */
  connections(): number
  /** From now on every byte is `ms` milliseconds under way, in each direction: a round trip takes twice as long. */
  delay(ms: number): void
  /** Resets every connection, on both sides. New ones may come. */
  cutAll(): void
  /** Nothing gets through any more, also of new connections, but no connection ends. What is sent waits. */
  halfOpen(): void
  /** As `halfOpen`, but bytes still flow in this one direction. */
  oneWay(direction: 'toServer' | 'toClient'): void
  /** Refuses new connections; the open ones live on. */
  refuse(): void
  /**
   * Loses the answer to a statement that the server has executed: passes it on, drops every byte that the server
   * sends from then on, and resets the client's connection once the server has answered completely.
   * With a Postgres dsn the pattern is matched against the text of each statement when it is executed, prepared
   * or not (not through TLS); otherwise against the bytes the client sends, read as Latin-1.
   * @param options - `times`: to how many of them it happens, 1 by default.
   * @returns resolves when it has happened that often; never when it is healed before.
   */
  dropAnswerTo(pattern: RegExp | string, options?: { times?: number }): Promise<void>
  /** Ends all faults. What waited arrives. Resolves when new connections are accepted. */
  heal(): Promise<void>
  /** Resets all connections and stops listening. */
  stop(): Promise<void>
}

/**
 * Starts a proxy in front of a server.
 * @param target - a dsn or URL with host and port, or `host:port`.
 * @throws {TypeError} when the target has no host and port.
 */
export async function startProxy(target: string): Promise<TcpProxy> {
  const url = new URL(target.includes('://') ? target : `tcp://${target}`)
  const isPostgres = /^postgres(ql)?:$/.test(url.protocol)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const targetPort = Number(url.port || (isPostgres ? 5432 : 0))
  if (!host || !targetPort) throw new TypeError(`${url.protocol}//${url.host} names no host and port`)
  const port = await freePort()
  url.host = `127.0.0.1:${port}`

  const toServer: LaneRules = { delayMs: 0, held: false }
  const toClient: LaneRules = { delayMs: 0, held: false }
  const dropped = createDroppedAnswers(isPostgres ? 'postgres' : 'bytes')
  const connections = new Set<ProxiedConnection>()

  function accept(client: Socket): void {
    const rules = { toServer, toClient, watch: dropped.watch() }
    const connection = proxyConnection(client, { host, port: targetPort }, rules, () => {
      connections.delete(connection)
    })
    connections.add(connection)
  }

  function hold(serverHeld: boolean, clientHeld: boolean): void {
    toServer.held = serverHeld
    toClient.held = clientHeld
    for (const connection of connections) connection.update()
  }

  async function listen(): Promise<Server> {
    const listener = createServer({ allowHalfOpen: true }, accept)
    listener.listen(port, '127.0.0.1')
    await once(listener, 'listening')
    return listener
  }

  let listener: Server | undefined = await listen()
  const refuse = (): void => {
    listener?.close()
    listener = undefined
  }
  const cutAll = (): void => {
    for (const connection of connections) connection.cut()
  }

  return {
    dsn: target.includes('://') ? url.href : url.host,
    port,
    connections: () => connections.size,
    delay(ms) {
      toServer.delayMs = ms
      toClient.delayMs = ms
    },
    cutAll,
    halfOpen: () => hold(true, true),
    oneWay: (direction) => hold(direction === 'toClient', direction === 'toServer'),
    refuse,
    dropAnswerTo: (pattern, { times = 1 } = {}) => dropped.add(pattern, times),
    async heal() {
      dropped.clear()
      toServer.delayMs = 0
      toClient.delayMs = 0
      hold(false, false)
      listener ??= await listen()
    },
    async stop() {
      refuse()
      cutAll()
      await eventually('the connections to end', () => connections.size === 0)
    },
  }
}
