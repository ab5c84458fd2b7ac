import { delay, type Clock } from '../clock.js'
import { toCount } from '../duration.js'
import { checkKeys, display } from '../names.js'
import { InvalidArgumentError, RateLimitedError } from '../errors.js'

/** A token bucket for one producer in this process. */
export interface RateLimit {
  /** Messages a second in the long run. */
  readonly perSecond: number
  /** Messages at once after a quiet time. Default: `perSecond`, at least 1. */
  readonly burst?: number
}

/** Refuses what comes faster than the limit: the caller knows better what to do. Only a stream waits. */
export class RateLimiter {
  private readonly perMs: number
  private readonly burst: number
  private tokens: number
  private filledAt: number

  /** @throws InvalidArgumentError */
  constructor(
    limit: RateLimit,
    private readonly clock: Clock,
  ) {
    checkKeys(limit, ['perSecond', 'burst'], 'rateLimit')
    if (!(limit.perSecond > 0) || !Number.isFinite(limit.perSecond)) {
      throw new InvalidArgumentError(
        `rateLimit.perSecond must be a number above 0. Got ${display(limit.perSecond)}.`,
      )
    }
    this.perMs = limit.perSecond / 1000
    this.burst = toCount(limit.burst ?? Math.max(1, Math.floor(limit.perSecond)), 'rateLimit.burst')
    this.tokens = this.burst
    this.filledAt = clock.monotonic()
  }

  /**
   * Takes `count` tokens, all or none.
   * @throws RateLimitedError with the time after which the same call would pass.
   */
  take(count: number, queue: string): void {
    const now = this.clock.monotonic()
    this.tokens = Math.min(this.burst, this.tokens + (now - this.filledAt) * this.perMs)
    this.filledAt = now
    if (count <= this.tokens) {
      this.tokens -= count
      return
    }
    const retryAfterMs = count > this.burst ? Infinity : Math.ceil((count - this.tokens) / this.perMs)
    const never = count > this.burst ? ` A batch may have at most ${this.burst} (burst).` : ''
    throw new RateLimitedError(
      `${count} messages for queue ${queue} exceed the rate limit of ${this.perMs * 1000} a second.${never}`,
      retryAfterMs,
    )
  }

  /** Takes one token, and waits for it as long as it takes or until `signal` aborts. */
  async takeInTime(queue: string, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      try {
        this.take(1, queue)
        return
      } catch (error) {
        if (!(error instanceof RateLimitedError)) throw error
        await delay(this.clock, error.retryAfterMs, { signal })
      }
    }
  }
}
