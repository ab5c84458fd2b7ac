import { eventually } from '@pgqrs/test-database'
import type { TestClock } from '@pgqrs/core/testing'

/**
 * Lets the clock of a test go on, step by step, until something holds. What the steps set off may need the database
 * and therefore real time; between two steps it gets some.
 */
export async function passTime<T>(
  clock: TestClock,
  what: string,
  condition: () => T | Promise<T>,
  stepMs = 250,
): Promise<T> {
  return eventually(what, async () => {
    const answer = await condition()
    if (!answer) await clock.advance(stepMs)
    return answer
  })
}
