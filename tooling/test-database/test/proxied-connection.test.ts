import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from '../src/eventually.js'
import { proxyConnection, type ConnectionRules } from '../src/proxied-connection.js'

const rules: ConnectionRules = {
  toServer: { delayMs: 0, held: false },
  toClient: { delayMs: 0, held: false },
  watch: { fromClient: () => undefined, fromServer: () => 'pass' },
}

/** A server on a free port, and what comes to it. */
async function listening(): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on('error', () => {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

it('ends when it is cut in the moment in which one side passes its end on', async () => {
  const front = await listening()
  const target = await listening()
  const client = connect(front.port, '127.0.0.1').on('error', () => {})
  onTestFinished(() => void client.destroy())
  const accepted = await eventually('the client', () => front.sockets[0])
  let ended = false
  const connection = proxyConnection(accepted, { host: '127.0.0.1', port: target.port }, rules, () => {
    ended = true
  })
  await eventually('the connection to the server', () => target.sockets[0])
  // The client's end is passed on, and before it has left everything is cut.
  accepted.emit('end')
  connection.cut()
  await eventually('the end of both connections', () => ended)
  expect(accepted.destroyed).toBe(true)
})
