import { expect, it, vi } from 'vitest'
import { TimeoutError } from '../src/errors.js'
import { TestClock } from '../src/testing.js'
import { withinLimit } from '../src/within-limit.js'

const why = 'it holds the lock.'

it('gives a value that is there back at once, and sets no timer for it', () => {
  const clock = new TestClock()
  const after = vi.spyOn(clock, 'after')
  expect(withinLimit(42, 100, clock, why)).toBe(42)
  expect(after).not.toHaveBeenCalled()
})

it('gives what comes within the limit, and leaves no timer behind', async () => {
  const clock = new TestClock()
  const cancels: (() => void)[] = []
  const after = clock.after.bind(clock)
  vi.spyOn(clock, 'after').mockImplementation((...timer) => {
    const cancel = vi.fn(after(...timer))
    cancels.push(cancel)
    return cancel
  })
  await expect(withinLimit(Promise.resolve(42), 100, clock, why)).resolves.toBe(42)
  const error = new Error('refused')
  await expect(withinLimit(Promise.reject(error), 100, clock, why)).rejects.toBe(error)
  await clock.settle()
  expect(cancels).toHaveLength(2)
  for (const cancel of cancels) expect(cancel).toHaveBeenCalledTimes(1)
})

it('rejects at the limit with an error that says why there is one', async () => {
  const clock = new TestClock()
  let outcome: unknown
  const late = Promise.resolve(withinLimit(new Promise<never>(() => undefined), 100, clock, why)).catch(
    (error: unknown) => {
      outcome = error
    },
  )
  await clock.advance(99)
  expect(outcome).toBeUndefined()
  await clock.advance(1)
  await late
  expect(outcome).toBeInstanceOf(TimeoutError)
  expect(outcome).toHaveProperty(
    'message',
    'The transaction took longer than 100 ms and was rolled back: it holds the lock.',
  )
})
