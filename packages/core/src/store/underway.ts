import type { Clock } from '../clock.js'

// A caller that never stops calling is refused in the end.
const MOST_ROUNDS = 1000

/** Counts statements on their way to the database, so that closing can let accepted calls finish. */
export class Underway {
  private count = 0
  private readonly waiters: (() => void)[] = []

  /** Counts one until it settles. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.count++
    try {
      return await work()
    } finally {
      this.count--
      if (this.count === 0) for (const done of this.waiters.splice(0)) done()
    }
  }

  /**
   * Resolves when nothing is on its way and nothing follows by itself: a call may need several statements, one after
   * the other.
   * @param elsewhere what waits to be sent.
   */
  async over(clock: Clock, elsewhere: { readonly quiet: boolean; idle(): Promise<void> }): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      await elsewhere.idle()
      if (this.count > 0) await new Promise<void>((resolve) => this.waiters.push(resolve))
      await clock.settle()
      if (this.count === 0 && elsewhere.quiet) return
    }
  }
}
