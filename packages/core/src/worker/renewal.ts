import type { Cancel } from '../clock.js'
import type { Engine } from '../store/engine.js'
import type { Holding } from './holding.js'

/** Keeps the leases of what a worker holds, and takes from its handlers what is lost or was asked to cancel. */
export class Renewal {
  private stopWatching: Cancel = () => undefined

  constructor(
    private readonly engine: Engine,
    private readonly holding: Holding,
    private readonly everyMs: number,
  ) {}

  /** Renews every lease; group commit makes one statement of it. */
  async renew(): Promise<void> {
    await Promise.all(this.holding.all.map((held) => held.renew()))
  }

  /**
   * Takes away what this process's own clock says is lost, also while the database does not answer or this process
   * was frozen.
   */
  watchDeadlines(): void {
    this.stopWatching = this.engine.clock.after(
      this.everyMs,
      () => {
        for (const held of this.holding.all) held.expire()
        this.watchDeadlines()
      },
      { background: true, slackMs: () => (this.holding.size === 0 ? Infinity : 0) },
    )
  }

  /** Aborts what was asked to cancel. Only reads, as a hint must: see `Registration.look`. */
  async lookForCancels(): Promise<void> {
    const held = this.holding.all
    if (held.length === 0) return
    const ids = JSON.stringify(held.map((one) => one.claimed.row.id))
    try {
      const rows = await this.engine.run(this.engine.queries.messages.cancelling, { ids }, 'look for cancels')
      for (const row of rows) {
        held
          .find((one) => one.claimed.lease.leaseId === row.lease_id && one.claimed.row.id === row.id)
          ?.abort('cancelled')
      }
    } catch {
      // The next renewal tells.
    }
  }

  /** Stops {@link watchDeadlines}. */
  stop(): void {
    this.stopWatching()
  }
}
