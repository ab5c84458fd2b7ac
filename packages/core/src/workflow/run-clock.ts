import type { Clock } from '../clock.js'

/** The database's clock as far as the holder of a run can tell; never ahead of it. */
export class RunClock {
  private readonly madeAt: number

  /** @param databaseAtClaim the database's clock, ms since the epoch, when it granted the lease: a while ago by now. */
  constructor(
    private readonly clock: Clock,
    private readonly databaseAtClaim: number,
  ) {
    this.madeAt = clock.monotonic()
  }

  /** Ms since the epoch. */
  now(): number {
    return this.databaseAtClaim + (this.clock.monotonic() - this.madeAt)
  }
}
