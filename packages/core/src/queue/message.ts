import { decode } from '../codec/decode.js'
import { encode } from '../codec/encode.js'
import { encodeError } from '../codec/error-record.js'
import { toMs, type Duration } from '../duration.js'
import { checkKeys } from '../names.js'
import { SHORTEST_LEASE_MS } from '../config/settings.js'
import type { ClaimedRow } from '../store/records.js'
import type { CallOptions } from '../store/engine.js'
import type { Lease } from './lease.js'

/** A message as its handler sees it: what it says, and how often it was tried. */
export interface HandledMessage<Payload> {
  readonly id: string
  readonly queue: string
  readonly payload: Payload
  readonly key: string | undefined
  readonly priority: number
  /** 1 for the first attempt. Leases that lapsed or were given back are not attempts. */
  readonly attempt: number
  /** Leases on this message that lapsed without a word. */
  readonly crashes: number
  readonly enqueuedAt: Date
  /** Puts the message off: return the value from the handler. It costs no attempt. */
  snooze(delay: Duration): Snooze
}

/** What a handler returns to say: not now, ask again later. */
export class Snooze {
  constructor(readonly delayMs: number) {}
}

/**
 * A message held by hand. Its lease is not renewed by anybody: call `extend` before it lapses. Each of the ways to end
 * the hold throws `LeaseLostError` when somebody else holds the message by then.
 */
export class LeasedMessage<Payload> implements HandledMessage<Payload> {
  readonly id: string
  readonly queue: string
  readonly key: string | undefined
  readonly priority: number
  readonly attempt: number
  readonly crashes: number
  private expiresAtMs: number
  private decoded: { readonly payload: Payload } | undefined

  /** @internal */
  constructor(
    private readonly row: ClaimedRow,
    /** @internal */
    readonly lease: Lease,
  ) {
    this.id = row.id
    this.queue = row.queue
    this.key = row.key ?? undefined
    this.priority = row.priority
    this.attempt = row.failures + 1
    this.crashes = row.crashes
    this.expiresAtMs = row.vt
  }

  get enqueuedAt(): Date {
    return new Date(this.row.enqueued_at)
  }

  /** Decoded at the first look. */
  get payload(): Payload {
    this.decoded ??= { payload: decode(this.row.payload) as Payload }
    return this.decoded.payload
  }

  /** When the lease lapses, by the database's clock. */
  get leaseExpiresAt(): Date {
    return new Date(this.expiresAtMs)
  }

  /** Prolongs the lease, counted from now. */
  async extend(lease: Duration, options?: CallOptions): Promise<void> {
    const { expiresAt } = await this.lease.extend(toMs(lease, 'lease', SHORTEST_LEASE_MS), options)
    this.expiresAtMs = expiresAt
  }

  /** Finishes the message and keeps it, optionally with an output. */
  async archive(output?: unknown, options?: CallOptions): Promise<void> {
    const encoded = output === undefined ? null : encode(output)
    await this.lease.finish({ status: 'success', output: encoded, error: null, failed: 0 }, options)
  }

  /** Finishes the message and drops it. */
  async delete(options?: CallOptions): Promise<void> {
    await this.lease.remove(options)
  }

  /** Gives the message back, visible after `delay` (default: at once). It costs no attempt. */
  async release(options: CallOptions & { readonly delay?: Duration } = {}): Promise<void> {
    checkKeys(options, ['delay', 'signal'], 'release')
    await this.lease.release({ delayMs: toMs(options.delay ?? 0, 'delay') }, options)
  }

  /** Finishes the message as a dead letter. */
  async fail(error: unknown, options?: CallOptions): Promise<void> {
    await this.lease.finish({ status: 'error', output: null, error: encodeError(error), failed: 1 }, options)
  }

  snooze(delay: Duration): Snooze {
    return new Snooze(Math.ceil(toMs(delay, 'delay')))
  }
}
