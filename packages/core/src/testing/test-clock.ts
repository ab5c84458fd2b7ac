import { systemClock, type Cancel, type Clock, type TimerOptions } from '../clock.js'
import { toMs, type Duration } from '../duration.js'
import { TimeoutError } from '../errors.js'

interface Timer {
  readonly at: number
  readonly callback: () => void
  readonly slackMs: () => number
}

/** Options of {@link TestClock.until}. */
export interface UntilOptions {
  /** Rejects with TimeoutError when it would take longer, in time of the clock. Default: 10 years. */
  readonly limit?: Duration
}

// Looks of idle workers in a row. Whatever waits for something else than time has had its chance by then.
const IDLE_LOOKS = 200

/**
 * A clock that stands still until it is told to go on. Give it to `connect({ clock })`; timers, leases, delays and
 * sleeps then follow it, the database's included. Polls and heartbeats of idle workers, which nobody would notice, are
 * passed over: a year takes no longer than a second.
 *
 * ```ts
 * const clock = new TestClock()
 * const store = await connect({ dsn: ':memory:', clock })
 * await clock.advance('30d')
 * ```
 */
export class TestClock implements Clock {
  private nowMs: number
  private readonly timers = new Set<Timer>()

  /** @param start where the clock begins, a Date or ms since the epoch. */
  constructor(start: Date | number = Date.UTC(2030, 0, 1)) {
    this.nowMs = Number(start)
  }

  /** The time it shows. */
  get now(): Date {
    return new Date(this.nowMs)
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

  after(ms: number, callback: () => void, options: TimerOptions = {}): Cancel {
    const { slackMs = () => 0 } = options
    const timer = { at: this.nowMs + Math.max(0, ms), callback, slackMs }
    this.timers.add(timer)
    return () => {
      this.timers.delete(timer)
    }
  }

  settle(): Promise<void> {
    return systemClock.settle()
  }

  /**
   * Goes on by a span of time. Timers fire in their order, each followed by everything it sets off that needs no time.
   */
  async advance(span: Duration): Promise<void> {
    const until = this.nowMs + toMs(span, 'advance')
    while (this.nowMs < until) {
      await this.catchUp()
      this.nowMs = Math.max(this.nowMs, Math.min(this.nextAt() ?? until, until))
    }
    await this.catchUp()
  }

  /**
   * Jumps to the next time at which something is to happen and lets it happen, with all that it sets off.
   * @returns the ms that went by; undefined, and no time goes by, when nothing is going to happen by itself.
   */
  async next(): Promise<number | undefined> {
    await this.catchUp()
    const from = this.nowMs
    const at = this.nextAt()
    if (at === undefined) return undefined
    this.nowMs = at
    await this.catchUp()
    return at - from
  }

  /**
   * Jumps from one time to the next until the promise settles, and gives what it gives.
   *
   * ```ts
   * assert.equal(await clock.until(handle.result()), 'done')
   * ```
   * @throws TimeoutError when nothing is going to happen any more, or not within the limit
   */
  async until<T>(promise: Promise<T>, options: UntilOptions = {}): Promise<T> {
    const giveUpAt = this.nowMs + toMs(options.limit ?? '10y', 'limit')
    const awaited = { over: false }
    const over = (): void => {
      awaited.over = true
    }
    promise.then(over, over)
    for (let idle = 0; ; idle++) {
      await this.catchUp()
      if (awaited.over) return promise
      if (this.nextAt() !== undefined) idle = 0
      const at = this.nextAt() ?? this.nextLook() ?? this.nowMs
      if (at > giveUpAt) throw new TimeoutError('What is waited for does not happen within the limit.')
      if (idle > IDLE_LOOKS) {
        throw new TimeoutError('What is waited for does not happen: nothing is left that time would set off.')
      }
      this.nowMs = at
    }
  }

  /** Fires what is due, one timer after the other. */
  private async catchUp(): Promise<void> {
    for (;;) {
      await this.settle()
      const due = earliest(this.timers, (timer) => timer.at)
      if (due === undefined || due.at > this.nowMs) return
      this.timers.delete(due)
      due.callback()
    }
  }

  /** When the next timer must fire at the latest; undefined when none has to. */
  private nextAt(): number | undefined {
    const latest = (timer: Timer): number => timer.at + timer.slackMs()
    const next = earliest(this.timers, latest)
    const at = next === undefined ? Infinity : latest(next)
    return Number.isFinite(at) ? Math.max(at, this.nowMs) : undefined
  }

  /** When somebody looks next for what he does not expect. */
  private nextLook(): number | undefined {
    return earliest(this.timers, (timer) => timer.at)?.at
  }
}

/** The first of those that come earliest. */
function earliest(timers: Iterable<Timer>, at: (timer: Timer) => number): Timer | undefined {
  let found: Timer | undefined
  for (const timer of timers) if (found === undefined || at(timer) < at(found)) found = timer
  return found
}
