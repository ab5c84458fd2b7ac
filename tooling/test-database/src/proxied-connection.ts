import { connect, type Socket } from 'node:net'
import type { AnswerWatch } from './dropped-answers.js'
import { createLane, type LaneRules } from './proxy-lane.js'

/** A client's connection to a proxy together with the proxy's to the server. */
export interface ProxiedConnection {
  /** Resets both, at once. */
  cut: () => void
  /** To be called when the rules have changed. */
  update: () => void
}

/** What becomes of a connection. The rules may change at any time. */
export interface ConnectionRules {
  toServer: LaneRules
  toClient: LaneRules
  watch: AnswerWatch
}

/**
 * Connects a client to a server.
 * @param ended - called once, when neither of the two connections is open any more.
 */
export function proxyConnection(
  client: Socket,
  target: { host: string; port: number },
  rules: ConnectionRules,
  ended: () => void,
): ProxiedConnection {
  const server = connect({ ...target, allowHalfOpen: true })
  const sockets = [client, server]
  let left = sockets.length

  function cut(): void {
    for (const socket of sockets) {
      if (socket.destroyed) continue
      // A socket that is about to send its end cannot be reset, and would never close.
      if (socket.writableEnded) socket.destroy()
      else socket.resetAndDestroy()
    }
  }
  for (const socket of sockets) {
    socket.setNoDelay(true)
    socket.on('error', cut)
    socket.on('close', () => {
      left -= 1
      if (left === 0) ended()
    })
  }
  const lanes = [
    createLane(client, server, rules.toServer, (bytes) => {
      rules.watch.fromClient(bytes)
      return true
    }),
    createLane(server, client, rules.toClient, (bytes) => {
      const fate = rules.watch.fromServer(bytes)
      if (fate === 'cut') cut()
      return fate === 'pass'
    }),
  ]
  return {
    cut,
    update() {
      for (const lane of lanes) lane.update()
    },
  }
}
