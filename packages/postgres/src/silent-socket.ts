import type { RawSocket } from './parameters.js'

type Listener = (value: unknown) => void

const READY_FOR_QUERY = 0x5a
const HEADER_BYTES = 5

/** What ReadyForQuery said last: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

/**
 * The socket postgres.js is given in place of the real one. It never says that the real one closed: all that
 * postgres.js does on that news (connect anew, write what was left over, run late statements there) is what loses
 * transactions, wedges pools and throws outside promises. Who owns the connection listens to the real socket.
 *
 * On the way it reads the transaction status off the protocol, which postgres.js keeps to itself.
 */
export class SilentSocket {
  status: TransactionStatus | undefined
  readonly #raw: RawSocket
  readonly #errorListeners = new Set<Listener>()
  readonly #header = Buffer.alloc(HEADER_BYTES)
  #headerBytes = 0
  #bodyBytes = 0

  constructor(raw: RawSocket) {
    this.#raw = raw
    raw.on('data', (chunk: Buffer) => {
      this.#read(chunk)
    })
  }

  on(event: string, listener: Listener): this {
    if (event === 'data' || event === 'drain') this.#raw.on(event, listener)
    else if (event === 'error') this.#errorListeners.add(listener)
    return this
  }

  removeListener(event: string, listener: Listener): this {
    if (event === 'error') this.#errorListeners.delete(listener)
    else this.#raw.removeListener(event, listener)
    return this
  }

  write(chunk: Uint8Array, done?: () => void): boolean {
    // postgres.js must not see an error here, and whoever owns the connection knows already.
    return this.#raw.writable ? this.#raw.write(chunk, done) : true
  }

  end(chunk?: Uint8Array): void {
    if (!this.#raw.writable) return
    if (chunk !== undefined) this.#raw.write(chunk)
    this.#raw.end()
  }

  destroy(): void {
    this.#raw.destroy()
  }

  pause(): void {
    this.#raw.pause()
  }

  resume(): void {
    this.#raw.resume()
  }

  setKeepAlive(on: boolean, afterMs: number): void {
    this.#raw.setKeepAlive?.(on, afterMs)
  }

  /** Makes postgres.js reject what it holds and destroy its streams, without letting it know that this is the end. */
  fail(error: Error): void {
    for (const listener of this.#errorListeners) listener(error)
  }

  // Hops from message to message: a type byte, then a length that counts itself.
  #read(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#bodyBytes > 0) {
        const step = Math.min(this.#bodyBytes, chunk.length - at)
        at += step
        this.#bodyBytes -= step
        if (this.#bodyBytes === 0 && this.#header[0] === READY_FOR_QUERY) {
          this.status = String.fromCharCode(chunk[at - 1] ?? 0) as TransactionStatus
        }
      } else {
        const step = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length - at)
        chunk.copy(this.#header, this.#headerBytes, at, at + step)
        at += step
        this.#headerBytes += step
        if (this.#headerBytes === HEADER_BYTES) {
          this.#bodyBytes = this.#header.readInt32BE(1) - 4
          this.#headerBytes = 0
        }
      }
    }
  }
}
