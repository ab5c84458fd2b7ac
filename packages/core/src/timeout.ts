import type { Clock } from './clock.js'
import { TimeoutError } from './errors.js'
import { LazyAbort } from './lazy-abort.js'

/** Gives `work` a signal that also aborts after `ms`, when there is such a limit, and stops waiting for it then. */
export function withTimeout<T>(
  clock: Clock,
  ms: number | undefined,
  what: string,
  outer: LazyAbort,
  work: (own: LazyAbort) => T | Promise<T>,
): T | Promise<T> {
  return ms === undefined ? work(outer) : timed(clock, ms, what, outer, work)
}

async function timed<T>(
  clock: Clock,
  ms: number,
  what: string,
  outer: LazyAbort,
  work: (own: LazyAbort) => T | Promise<T>,
): Promise<T> {
  const own = new LazyAbort()
  const forget = outer.onAbort((reason) => {
    own.abort(reason)
  })
  let cancel = (): void => undefined
  const timeout = new Promise<never>((_, reject) => {
    const expire = (): void => {
      const error = new TimeoutError(`${what} took longer than ${ms} ms.`)
      // First: what the work throws because of its signal is not why it ended.
      reject(error)
      own.abort(error)
    }
    // A worker keeps the process alive; work it has left behind must not.
    cancel = clock.after(ms, expire, { background: true })
  })
  try {
    return await Promise.race([Promise.resolve(work(own)), timeout])
  } finally {
    cancel()
    forget()
  }
}
