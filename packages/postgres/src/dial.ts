import { connect as openSocket, isIP } from 'node:net'
import { connect as openTls, type ConnectionOptions } from 'node:tls'
import { ConnectionLost } from './failure.js'
import type { Address, Parameters, RawSocket } from './parameters.js'

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const YES = 83

/**
 * Opens a socket to one address, with TLS where the parameters ask for it, ready for the startup message.
 * @param signal destroys the socket when it aborts, even later.
 * @throws the error of the socket or of TLS.
 */
export async function dial(
  address: Address,
  parameters: Parameters,
  signal: AbortSignal,
): Promise<RawSocket> {
  const plain = parameters.openSocket === undefined ? open(address) : await parameters.openSocket()
  const abort = (): void => void plain.destroy()
  signal.addEventListener('abort', abort, { once: true })
  plain.once('close', () => {
    signal.removeEventListener('abort', abort)
  })
  if (signal.aborted) abort()
  // An error that comes after what waits for it was rejected must not be thrown at the process.
  plain.on('error', () => {})
  if (plain.connecting === true || plain.destroyed) await happens(plain, 'connect')
  const { ssl, directTls } = parameters
  if (ssl === false) return plain
  if (!directTls && !(await speaksTls(plain))) {
    if (ssl === 'prefer' || ssl === 'allow') return plain
    plain.destroy()
    throw new Error(`the server does not offer TLS, and ssl is ${typeof ssl === 'string' ? ssl : 'on'}`)
  }
  const secure = openTls({ socket: plain, ...tlsOptions(address, parameters) })
  secure.on('error', () => {})
  // A TLS socket does not always follow the one underneath.
  plain.once('close', () => secure.destroy())
  await happens(secure, 'secureConnect')
  return secure
}

function open(address: Address): RawSocket {
  return 'path' in address ? openSocket(address.path) : openSocket(address.port, address.host)
}

async function speaksTls(socket: RawSocket): Promise<boolean> {
  socket.write(SSL_REQUEST)
  const [answer] = (await happens(socket, 'data')) as [Buffer]
  return answer[0] === YES
}

function tlsOptions(address: Address, { ssl, directTls }: Parameters): ConnectionOptions {
  const host = 'host' in address ? address.host : undefined
  return {
    // An address is no name to ask for, but it is what the certificate must be for.
    ...(host === undefined ? {} : isIP(host) === 0 ? { servername: host } : { host }),
    ...(directTls ? { ALPNProtocols: ['postgresql'] } : {}),
    ...(ssl === 'require' || ssl === 'allow' || ssl === 'prefer' ? { rejectUnauthorized: false } : {}),
    ...(typeof ssl === 'object' ? ssl : {}),
  }
}

/** The values of the event, once it happens before the socket fails or closes. */
function happens(socket: RawSocket, event: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      socket.removeListener(event, onEvent)
      socket.removeListener('error', onError)
      socket.removeListener('close', onClose)
      finish()
    }
    const onEvent = (...values: unknown[]): void => settle(() => resolve(values))
    const onError = (error: Error): void => settle(() => reject(error))
    const onClose = (): void =>
      settle(() => reject(new ConnectionLost('the server closed the connection while it was opened', false)))
    if (socket.destroyed) {
      reject(new ConnectionLost('the connection was closed while it was opened', false))
      return
    }
    socket.once(event, onEvent)
    socket.once('error', onError)
    socket.once('close', onClose)
  })
}
