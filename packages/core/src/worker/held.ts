import type { Clock } from '../clock.js'
import { LeaseLostError, RunCancelledError, ClosedError } from '../errors.js'
import { LazyAbort } from '../lazy-abort.js'
import type { Claimed } from '../queue/claimer.js'
import type { AbortCause } from './task.js'

/** One message this worker holds, and the switch that takes it away from its handler. */
export class Held {
  /** Aborts when the message is taken away from its handler. */
  readonly switch = new LazyAbort()
  private why: AbortCause | undefined
  private deadline: number

  /** @param sentAt monotonic time at which the claim was sent: the lease cannot be longer than counted from there. */
  constructor(
    readonly claimed: Claimed,
    readonly leaseMs: number,
    sentAt: number,
    private readonly clock: Clock,
  ) {
    this.deadline = sentAt + leaseMs
  }

  /** Why the handler's signal was aborted. */
  get cause(): AbortCause | undefined {
    return this.why
  }

  /** Aborts the handler's signal, once; the first cause stays. */
  abort(cause: AbortCause): void {
    if (this.why !== undefined) return
    this.why = cause
    this.switch.abort(this.reason(cause))
  }

  private reason(cause: AbortCause): Error {
    const { id, queue } = this.claimed.row
    const reasons = {
      lease_lost: () => new LeaseLostError(`The lease on message ${id} of queue ${queue} was lost.`, id),
      cancelled: () => new RunCancelledError(`${id} of ${queue} was asked to cancel.`, id),
      stop: () => new ClosedError(`The worker that held message ${id} of queue ${queue} was stopped.`),
    }
    return reasons[cause]()
  }

  /** Renews the lease, unless it is known to be lost: what the handler still does must not keep it from others. */
  async renew(): Promise<void> {
    if (this.why === 'lease_lost') return
    const sentAt = this.clock.monotonic()
    try {
      const { cancelling } = await this.claimed.lease.extend(this.leaseMs)
      this.deadline = sentAt + this.leaseMs
      if (cancelling) this.abort('cancelled')
    } catch (error) {
      if (error instanceof LeaseLostError) this.abort('lease_lost')
      this.expire()
    }
  }

  /** By this process's own clock the lease must have lapsed: stop, even if the database cannot be asked. */
  expire(): void {
    if (this.clock.monotonic() >= this.deadline) this.abort('lease_lost')
  }
}
