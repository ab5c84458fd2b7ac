import type { Cancel, Clock } from '@pgqrs/core/driver'

/** The clock of a process that can be stopped as by SIGSTOP: its timers wait until it goes on, time itself does not. */
export class FrozenClock implements Clock {
  private frozen = false
  private readonly late: (() => void)[] = []

  constructor(private readonly clock: Clock) {}

  /** No timer fires from here on. */
  freeze(): void {
    this.frozen = true
  }

  /** Fires at once what has become due meanwhile. */
  thaw(): void {
    this.frozen = false
    for (const fire of this.late.splice(0)) fire()
  }

  databaseNow(): number | null {
    return this.clock.databaseNow()
  }

  wallNow(): number {
    return this.clock.wallNow()
  }

  monotonic(): number {
    return this.clock.monotonic()
  }

  after(ms: number, callback: () => void, options?: { readonly background?: boolean }): Cancel {
    let cancelled = false
    const fire = (): void => {
      if (cancelled) return
      if (this.frozen) this.late.push(fire)
      else callback()
    }
    const cancel = this.clock.after(ms, fire, options)
    return () => {
      cancelled = true
      cancel()
    }
  }

  settle(): Promise<void> {
    return this.clock.settle()
  }
}
