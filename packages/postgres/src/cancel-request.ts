import type { Clock } from '@pgqrs/core/driver'
import { dial } from './dial.js'
import type { Address, Parameters } from './parameters.js'

/** By what the server knows a backend, and who may cancel what it runs. */
export interface BackendKey {
  readonly pid: number
  readonly secret: number
}

const CODE = 80_877_102
const BYTES = 16
const LIMIT_MS = 2000

/**
 * Asks the server, over a socket of its own, to cancel the statement a backend is running. Nobody says whether it did.
 * @throws the error of the socket or of TLS.
 */
export async function requestCancel(
  { pid, secret }: BackendKey,
  address: Address,
  parameters: Parameters,
  clock: Clock,
): Promise<void> {
  const request = Buffer.alloc(BYTES)
  request.writeInt32BE(BYTES, 0)
  request.writeInt32BE(CODE, 4)
  request.writeUInt32BE(pid, 8)
  request.writeUInt32BE(secret, 12)
  const abort = new AbortController()
  const stop = clock.after(LIMIT_MS, () => abort.abort(), { background: true })
  try {
    const socket = await dial(address, parameters, abort.signal)
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      socket.end(request)
    })
  } finally {
    stop()
  }
}
