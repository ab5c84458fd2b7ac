import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until `condition` holds: asks it again and again until it returns something truthy, and returns that.
 * @param what - named in the error, such as `'the worker to take the message'`.
 * @param options - `timeoutMs`: how long to wait, 10 seconds by default; `everyMs`: the pause between two
 * questions, 10 ms by default.
 * @throws {Error} when it does not hold in time; what `condition` itself throws passes through.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, everyMs = 10 } = options
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await condition()
    if (answer) return answer
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}
