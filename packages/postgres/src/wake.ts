import { randomUUID } from 'node:crypto'
import {
  delay,
  type Cancel,
  type Clock,
  type Execute,
  type Statement,
  type WakeChannel,
} from '@pgqrs/core/driver'
import type { Connection } from './connection.js'

type Open = (onNotify: (payload: string) => void) => Promise<Connection>

/** What a channel is made from. */
export interface NotifySettings {
  /** Opens the connection that listens; undefined when nobody may. */
  readonly open: Open | undefined
  /** Sends, on other connections: what a connection sends to itself proves nothing behind a pooler. */
  readonly execute: Execute
  readonly schema: string | undefined
  readonly clock: Clock
}

const LARGEST_PAYLOAD_BYTES = 7900
const PROOF_MS = 3000
const PROOF_EVERY_MS = 30_000
const LONGEST_PAUSE_MS = 30_000
// No topic begins with it.
const PROOF_MARK = '?'

// Two stores on one schema must meet, also when one of them names it and the other finds it in its search path.
const CHANNEL = `'pgqrs_' || left(coalesce($1::text, current_schema(), ''), 48)`

/** Hints by LISTEN and NOTIFY, one channel for each schema of a database. */
export class NotifyChannel implements WakeChannel {
  readonly #settings: NotifySettings
  readonly #stops = new Set<() => Promise<void>>()

  constructor(settings: NotifySettings) {
    this.#settings = settings
  }

  /** Sends topics to all who listen, in as few notifications as they fit into. */
  async notify(topics: readonly string[]): Promise<void> {
    for (const payload of payloads(topics)) await this.#send(payload)
  }

  /** See {@link WakeChannel.listen}. Goes on trying in the background while hints do not arrive. */
  async listen(
    heard: (topics: readonly string[]) => void,
    proved: (works: boolean) => void,
  ): Promise<() => Promise<void>> {
    const { open } = this.#settings
    if (open === undefined) {
      proved(false)
      return () => Promise.resolve()
    }
    const stopping = new AbortController()
    let works: boolean | undefined
    let firstProof = (): void => {}
    const first = new Promise<void>((resolve) => (firstProof = resolve))
    const tell = (now: boolean): void => {
      if (stopping.signal.aborted) return
      const before = works
      works = now
      if (now !== before) proved(now)
      // Something may have been said while nobody listened.
      if (now && before === false) heard(['*'])
      firstProof()
    }
    const ended = this.#keepListening(open, heard, tell, stopping.signal)
    await Promise.race([first, ended])
    const stop = async (): Promise<void> => {
      this.#stops.delete(stop)
      stopping.abort()
      await ended
    }
    this.#stops.add(stop)
    return stop
  }

  /** Stops everybody's listening. */
  async close(): Promise<void> {
    await Promise.all([...this.#stops].map((stop) => stop()))
  }

  async #keepListening(
    open: Open,
    heard: (topics: readonly string[]) => void,
    tell: (works: boolean) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#settings
    for (let failures = 0; !signal.aborted; failures++) {
      const proofs = await this.#listenOnce(open, heard, tell, signal)
      tell(false)
      if (proofs > 0) failures = 0
      const pause = Math.min(100 * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2)
      await delay(clock, pause, { signal, background: true }).catch(() => {})
    }
  }

  /** Listens on one connection until it dies, a proof fails or the signal aborts. Returns how often it was proved. */
  async #listenOnce(
    open: Open,
    heard: (topics: readonly string[]) => void,
    tell: (works: boolean) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { clock } = this.#settings
    const proof = new Proof(clock)
    let connection: Connection | undefined
    let proofs = 0
    const hang = (): void => void connection?.close()
    signal.addEventListener('abort', hang)
    try {
      connection = await open((payload) => {
        if (payload.startsWith(PROOF_MARK)) proof.arrived(payload)
        else heard(payload.split('\n'))
      })
      connection.onDeath(() => proof.fail())
      const [row] = await connection.run(
        statement(`select quote_ident(${CHANNEL}) as name`, [this.#schema]),
        PROOF_MS,
      )
      await connection.command(`listen ${String(row?.['name'])}`, PROOF_MS)
      while (!signal.aborted && connection.alive) {
        if (!(await proof.attempt((token) => this.#send(token)))) break
        proofs++
        tell(true)
        await proof.quiet(PROOF_EVERY_MS)
      }
    } catch {
      // Told as "does not work"; the loop tries again.
    } finally {
      signal.removeEventListener('abort', hang)
      await connection?.close()
    }
    return proofs
  }

  get #schema(): string | null {
    return this.#settings.schema ?? null
  }

  async #send(payload: string): Promise<void> {
    // Nothing is written but the hint, which may be lost: its commit need not wait for the disk.
    const text = `select set_config('synchronous_commit', 'off', true), pg_notify(${CHANNEL}, $2)`
    await this.#settings.execute([statement(text, [this.#schema, payload])])
  }
}

/** A message to oneself: that it arrives is the only proof that messages do. */
class Proof {
  #token = ''
  #settle: ((arrived: boolean) => void) | undefined
  #wake: (() => void) | undefined
  #failed = false

  constructor(private readonly clock: Clock) {}

  arrived(token: string): void {
    if (token === this.#token) this.#settle?.(true)
  }

  /** The connection is dead: nothing will arrive, and waiting is over. */
  fail(): void {
    this.#failed = true
    this.#settle?.(false)
    this.#wake?.()
  }

  async attempt(send: (token: string) => Promise<void>): Promise<boolean> {
    if (this.#failed) return false
    this.#token = `${PROOF_MARK}${randomUUID()}`
    let stop: Cancel = () => {}
    const answer = new Promise<boolean>((resolve) => {
      this.#settle = resolve
      stop = this.clock.after(PROOF_MS, () => resolve(false))
      send(this.#token).catch(() => resolve(false))
    })
    try {
      return await answer
    } finally {
      stop()
    }
  }

  /** Waits until it is time for the next proof. */
  quiet(ms: number): Promise<void> {
    if (this.#failed) return Promise.resolve()
    return new Promise((resolve) => {
      const stop = this.clock.after(ms, resolve, { background: true })
      this.#wake = () => {
        stop()
        resolve()
      }
    })
  }
}

function statement(sql: string, parameters: unknown[]): Statement {
  return { sql, parameters, reads: false }
}

/** Topics joined to texts that fit into a notification. */
export function payloads(topics: readonly string[]): string[] {
  const texts: string[] = []
  let bytes = Infinity
  for (const topic of new Set(topics)) {
    const size = Buffer.byteLength(topic) + 1
    if (bytes + size > LARGEST_PAYLOAD_BYTES) {
      texts.push(topic)
      bytes = size
    } else {
      texts.push(`${String(texts.pop())}\n${topic}`)
      bytes += size
    }
  }
  return texts
}
