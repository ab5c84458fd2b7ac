import { eventually } from '@pgqrs/test-database'
import type { TestClock } from '@pgqrs/core/testing'

/**
 * Lets the clock of a test go on, step by step, until something holds, and returns that. What a step sets off may need
 * the database and therefore real time; between two steps it gets some.
 */
export async function passTime<T>(
  clock: TestClock,
  what: string,
  condition: () => Promise<T | undefined> | T | undefined,
  stepMs = 250,
): Promise<T> {
  const answer = await eventually(what, async () => {
    const now = await condition()
    if (now === undefined || now === false) await clock.advance(stepMs)
    else return { now }
  })
  return answer.now
}

/** Waits for something that ends only while the clock of a test goes on. */
export async function untilSettled<T>(
  clock: TestClock,
  what: string,
  promise: Promise<T>,
  stepMs?: number,
): Promise<T> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  await passTime(clock, what, () => settled, stepMs)
  return promise
}
