import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { HranaContext } from './hrana-http.js'
import { HranaError, toWireError, type ClientMessage, type SocketRequest } from './hrana-protocol.js'
import { openStream, type HranaStream } from './hrana-stream.js'

/** Which requests may execute something; the rest only keep the books of the connection. */
const executing: ReadonlySet<string> = new Set(['execute', 'batch', 'sequence'])

/** The WebSocket half of the stand-in: serves one connection until it closes. */
export function serveWebSocket(socket: WebSocket, context: HranaContext): void {
  const streams = new Map<number, HranaStream>()
  const stored = new Map<number, string>()
  let greeted = false
  let arrivals = Promise.resolve()

  function greet(jwt: string | null | undefined): void {
    greeted = context.token === undefined || jwt === context.token
    const refusal = { type: 'hello_error', error: { message: 'unauthorized', code: 'AUTH_JWT_INVALID' } }
    send(greeted ? { type: 'hello_ok' } : refusal)
    if (!greeted) socket.close()
  }

  function send(message: object): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }

  async function answer(request: SocketRequest): Promise<object> {
    switch (request.type) {
      case 'open_stream':
        streams.set(request.stream_id, openStream(context.file, stored))
        return { type: request.type }
      case 'close_stream':
        await streams.get(request.stream_id)?.answer({ type: 'close' })
        streams.delete(request.stream_id)
        return { type: request.type }
      case 'store_sql':
        stored.set(request.sql_id, request.sql)
        return { type: request.type }
      case 'close_sql':
        stored.delete(request.sql_id)
        return { type: request.type }
      default: {
        const stream = streams.get(request.stream_id)
        if (!stream) throw new HranaError(`no stream ${request.stream_id}`, 'STREAM_NOT_FOUND')
        return stream.answer(request)
      }
    }
  }

  /** Resolves when the next request may start: streams do not wait for each other, but delays keep the order. */
  async function start(id: number, request: SocketRequest): Promise<void> {
    const fault = executing.has(request.type) ? context.admit() : {}
    if (fault.delayMs) await sleep(fault.delayMs)
    if (fault.drop === 'request') socket.terminate()
    else if (fault.status) socket.close(1011, `the fault that the test asked for: ${fault.status}`)
    if (socket.readyState !== socket.OPEN) return
    const finish = (message: object): void => {
      if (fault.drop === 'answer') socket.terminate()
      else send(message)
    }
    answer(request).then(
      (response) => finish({ type: 'response_ok', request_id: id, response }),
      (error: unknown) => finish({ type: 'response_error', request_id: id, error: toWireError(error) }),
    )
  }

  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    for (const stream of streams.values()) stream.close()
  })
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ClientMessage
    if (message.type === 'hello') greet(message.jwt)
    else if (!greeted) socket.close(1008, 'say hello first')
    else arrivals = arrivals.then(() => start(message.request_id, message.request))
  })
}
