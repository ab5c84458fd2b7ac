import { systemClock, type Cancel, type Clock } from '@pgqrs/core/driver'

const LONGEST_MS = 100

/** A clock on which no long wait ever ends: whoever sleeps on it is woken by hints alone. Short looks go on. */
export class HintOnlyClock implements Clock {
  private sleepers = 0

  /** Whether somebody waits for longer than is possible. */
  get asleep(): boolean {
    return this.sleepers > 0
  }

  databaseNow(): number | null {
    return systemClock.databaseNow()
  }

  wallNow(): number {
    return systemClock.wallNow()
  }

  monotonic(): number {
    return systemClock.monotonic()
  }

  after(ms: number, callback: () => void, options: { readonly background?: boolean } = {}): Cancel {
    if (ms <= LONGEST_MS) return systemClock.after(ms, callback, options)
    // A heartbeat that does not come is no sleeper.
    if (options.background === true) return () => undefined
    this.sleepers++
    let awake = false
    return () => {
      if (!awake) this.sleepers--
      awake = true
    }
  }

  settle(): Promise<void> {
    return systemClock.settle()
  }
}
