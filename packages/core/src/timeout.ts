import type { Clock } from './clock.js'
import { TimeoutError } from './errors.js'

/** Gives `work` a signal that also aborts after `ms`, and stops waiting for it then. */
export async function withTimeout<T>(
  clock: Clock,
  ms: number,
  what: string,
  outer: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const pass = (): void => {
    controller.abort(outer.reason)
  }
  if (outer.aborted) pass()
  else outer.addEventListener('abort', pass, { once: true })
  let cancel = (): void => undefined
  const timeout = new Promise<never>((_, reject) => {
    const expire = (): void => {
      const error = new TimeoutError(`${what} took longer than ${ms} ms.`)
      // First: what the work throws because of its signal is not why it ended.
      reject(error)
      controller.abort(error)
    }
    // A worker keeps the process alive; work it has left behind must not.
    cancel = clock.after(ms, expire, { background: true })
  })
  try {
    return await Promise.race([Promise.resolve(work(controller.signal)), timeout])
  } finally {
    cancel()
    outer.removeEventListener('abort', pass)
  }
}
