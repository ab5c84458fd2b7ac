import { onAbort } from './on-abort.js'

/** Cancels what was scheduled; safe to call more than once. */
export type Cancel = () => void

/** What a clock may know of a timer. */
export interface TimerOptions {
  /** It does not keep the process alive. */
  readonly background?: boolean
  /**
   * By how many ms it may be late, as things stand, without anybody noticing: a look that finds something only if somebody
   * has put it there. A clock of tests passes over such timers; real time has no use for it.
   */
  readonly slackMs?: () => number
}

/**
 * The only way time enters the engine. Production uses {@link systemClock}; tests and the simulator bring their own.
 */
export interface Clock {
  /** Milliseconds since the epoch to use instead of the database's clock, or `null` for the database's own. */
  databaseNow(): number | null
  /** Wall clock of this process, ms since the epoch. For ids and display only, never for leases. */
  wallNow(): number
  /** Milliseconds that never run backwards. For measuring spans. */
  monotonic(): number
  /** Calls back once after `ms`; any length works. */
  after(ms: number, callback: () => void, options?: TimerOptions): Cancel
  /** Resolves after everything that is already able to run has run. */
  settle(): Promise<void>
}

// setTimeout counts in 32 signed bits; a longer wait would fire at once.
const LONGEST_TIMER_MS = 2_147_483_647

class SystemClock implements Clock {
  databaseNow(): null {
    return null
  }

  wallNow(): number {
    return Date.now()
  }

  monotonic(): number {
    return performance.now()
  }

  after(ms: number, callback: () => void, options: TimerOptions = {}): Cancel {
    let timer: NodeJS.Timeout
    const arm = (left: number): void => {
      const step = Math.min(left, LONGEST_TIMER_MS)
      timer = setTimeout(() => {
        if (left > step) arm(left - step)
        else callback()
      }, step)
      if (options.background === true) timer.unref()
    }
    arm(Math.max(0, ms))
    return () => {
      clearTimeout(timer)
    }
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}

/** Time as the process and the database know it. */
export const systemClock: Clock = new SystemClock()

/** Waits `ms`, or rejects with the signal's reason as soon as it aborts. */
export function delay(
  clock: Clock,
  ms: number,
  options: { readonly signal?: AbortSignal | undefined; readonly background?: boolean } = {},
): Promise<void> {
  const { signal, background = false } = options
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const cancel = clock.after(
      ms,
      () => {
        forget?.()
        resolve()
      },
      { background },
    )
    const forget =
      signal &&
      onAbort(signal, () => {
        cancel()
        reject(signal.reason as Error)
      })
  })
}
