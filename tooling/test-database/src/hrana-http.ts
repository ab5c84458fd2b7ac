import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LibsqlFault } from './hrana-faults.js'
import { toWireError, type StreamRequest } from './hrana-protocol.js'
import { openStream, type HranaStream } from './hrana-stream.js'

/** After this time without a request sqld gives a stream up, and so rolls its transaction back. */
const IDLE_MS = 10_000

/** What both transports need to know of the server. */
export interface HranaContext {
  file: string
  token: string | undefined
  /** Called once for every request that may execute something; says what is to happen to it. */
  admit(): LibsqlFault
}

/** The body of a request: what to do, on a new stream or on that of a baton. */
interface Pipeline {
  baton?: string | null
  requests: StreamRequest[]
}

/** Status and body. */
type Reply = [number, object]

/** Answers HTTP requests. */
export interface HttpHalf {
  /** Answers a request. Never rejects. */
  listener(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Closes all streams. */
  close(): void
}

/** The HTTP half of the stand-in: pipelines of requests, streams that live on between them by their baton. */
export function createHttpHalf(context: HranaContext): HttpHalf {
  let closed = false
  const streams = new Map<string, { stream: HranaStream; expiry: NodeJS.Timeout }>()

  function take(baton: string | null | undefined): HranaStream | undefined {
    if (!baton) return openStream(context.file)
    const kept = streams.get(baton)
    streams.delete(baton)
    clearTimeout(kept?.expiry)
    return kept?.stream
  }

  function keep(stream: HranaStream): string | null {
    if (closed) stream.close()
    if (!stream.isOpen()) return null
    const baton = randomUUID()
    const expiry = setTimeout(() => {
      streams.delete(baton)
      stream.close()
    }, IDLE_MS).unref()
    streams.set(baton, { stream, expiry })
    return baton
  }

  async function run(body: Pipeline): Promise<Reply> {
    const stream = take(body.baton)
    if (!stream) return [400, { message: 'the stream has expired', code: 'STREAM_EXPIRED' }]
    const results: object[] = []
    for (const each of body.requests) {
      const result = stream.answer(each).then(
        (response) => ({ type: 'ok', response }),
        (error: unknown) => ({ type: 'error', error: toWireError(error) }),
      )
      results.push(await result)
    }
    return [200, { baton: keep(stream), base_url: null, results }]
  }

  /** Undefined when the connection is to be cut instead. */
  async function pipeline(request: IncomingMessage): Promise<Reply | undefined> {
    const body = JSON.parse(await text(request)) as Pipeline
    const fault = context.admit()
    if (fault.delayMs) await sleep(fault.delayMs)
    if (fault.drop === 'request') return undefined
    if (fault.status) return [fault.status, { error: 'the fault that the test asked for' }]
    const reply = await run(body)
    return fault.drop === 'answer' ? undefined : reply
  }

  async function answer(request: IncomingMessage): Promise<Reply | undefined> {
    const { method, url = '' } = request
    if (method === 'GET' && /^\/v[23]\/?$/.test(url)) return [200, {}]
    if (method !== 'POST' || !/^\/v[23]\/pipeline$/.test(url)) return [404, { error: 'not found' }]
    if (context.token !== undefined && request.headers.authorization !== `Bearer ${context.token}`)
      return [401, { error: 'unauthorized' }]
    return pipeline(request).catch((error: unknown) => [400, toWireError(error)])
  }

  return {
    async listener(request, response) {
      const reply = await answer(request)
      if (!reply) request.socket.destroy()
      else response.writeHead(reply[0], { 'content-type': 'application/json' }).end(JSON.stringify(reply[1]))
    },
    close() {
      closed = true
      for (const { stream, expiry } of streams.values()) {
        clearTimeout(expiry)
        stream.close()
      }
      streams.clear()
    },
  }
}
