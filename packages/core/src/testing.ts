/**
 * For tests of applications.
 * @packageDocumentation
 */
import { systemClock, type Cancel, type Clock } from './clock.js'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until it is told to go on. Give it to `connect({ clock })`; timers, leases, delays and
 * sleeps then follow it, the database's included.
 *
 * ```ts
 * const clock = new TestClock()
 * const store = await connect({ dsn: ':memory:', clock })
 * await clock.advance(3_600_000)
 * ```
 */
export class TestClock implements Clock {
  private nowMs: number
  private readonly timers = new Set<Timer>()

  /** @param start where the clock begins, a Date or ms since the epoch. */
  constructor(start: Date | number = Date.UTC(2030, 0, 1)) {
    this.nowMs = Number(start)
  }

  databaseNow(): number {
    return this.nowMs
  }

  wallNow(): number {
    return this.nowMs
  }

  monotonic(): number {
    return this.nowMs
  }

  after(ms: number, callback: () => void): Cancel {
    const timer = { at: this.nowMs + Math.max(0, ms), callback }
    this.timers.add(timer)
    return () => {
      this.timers.delete(timer)
    }
  }

  settle(): Promise<void> {
    return systemClock.settle()
  }

  /** Goes on by a span of ms. Timers fire in their order, each followed by everything it sets off that needs no time. */
  async advance(ms: number): Promise<void> {
    const until = this.nowMs + ms
    for (;;) {
      await this.settle()
      const next = [...this.timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.at)
      next.callback()
    }
    this.nowMs = until
    await this.settle()
  }
}
