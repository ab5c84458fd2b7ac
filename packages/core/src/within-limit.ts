import type { Clock } from './clock.js'
import { TimeoutError } from './errors.js'

/**
 * The time limit of a transaction: a synchronous value at once, a promise within `limitMs`. Nothing of the process can
 * slip into the former.
 * @param why what the error says besides: why there is a limit, and what to do.
 * @throws TimeoutError when it takes longer. What works on the value is not stopped by that: the driver rolls back.
 */
export function withinLimit<T>(
  value: T | Promise<T>,
  limitMs: number,
  clock: Clock,
  why: string,
): T | Promise<T> {
  if (!(value instanceof Promise)) return value
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(limitMs, () => {
      reject(new TimeoutError(`The transaction took longer than ${limitMs} ms and was rolled back: ${why}`))
    })
    value.then(resolve, reject).finally(cancel)
  })
}
