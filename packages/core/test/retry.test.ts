import { describe, expect, it } from 'vitest'
import { TerminalError, TransientError } from '../src/errors.js'
import { systemRandom } from '../src/random.js'
import { nextAttemptIn, retryPolicy, type RetryOptions } from '../src/retry.js'

const defaults = { maxAttempts: 5, maxDelay: '5m' }
const drawing = (fraction: number): typeof systemRandom => ({ ...systemRandom, fraction: () => fraction })

function waits(
  options: RetryOptions,
  fraction = 0.5,
  error: unknown = new Error('x'),
): (number | undefined)[] {
  const policy = retryPolicy(options, defaults)
  return Array.from({ length: policy.maxAttempts }, (_, i) =>
    nextAttemptIn(policy, error, i + 1, drawing(fraction)),
  )
}

describe('a retry policy', () => {
  it('waits the same each time when it is fixed, and gives up after the last attempt', () => {
    expect(waits({ backoff: 'fixed', delay: '2s', maxAttempts: 4 })).toEqual([2000, 2000, 2000, undefined])
  })

  it('doubles its waits when it is exponential, up to the longest', () => {
    const options = { backoff: 'exponential', delay: '1s', maxDelay: '5s', maxAttempts: 6 } as const
    expect(waits(options)).toEqual([1000, 2000, 4000, 5000, 5000, undefined])
  })

  it('draws its waits from the upper half when it has jitter, which is the default', () => {
    expect(waits({}, 0)).toEqual([500, 1000, 2000, 4000, undefined])
    expect(waits({}, 0.999999).map((ms) => ms && Math.round(ms))).toEqual([1000, 2000, 4000, 8000, undefined])
    expect(waits({ maxAttempts: 100 }, 0).at(-2)).toBe(150_000)
  })

  it('stays finite however often it is asked', () => {
    const policy = retryPolicy({ maxAttempts: 2_000_000, maxDelay: '1h' }, defaults)
    expect(nextAttemptIn(policy, new Error('x'), 1_999_999, drawing(0))).toBe(1_800_000)
    const atOnce = retryPolicy({ maxAttempts: 2_000_000, delay: 0 }, defaults)
    expect(nextAttemptIn(atOnce, new Error('x'), 1_999_999, drawing(0))).toBe(0)
  })

  it('makes no second attempt when there is to be one', () => {
    expect(waits({ maxAttempts: 1 })).toEqual([undefined])
  })

  it('never tries a TerminalError again', () => {
    expect(waits({ maxAttempts: 2 }, 0, new TerminalError('never'))).toEqual([undefined, undefined])
    expect(
      waits({ maxAttempts: 2, shouldRetry: () => true }, 0, new TerminalError('never'))[0],
    ).toBeUndefined()
  })

  it('waits at least as long as the error asks for', () => {
    const options = { backoff: 'fixed', delay: '1s', maxAttempts: 2 } as const
    expect(waits(options, 0, new TransientError('x', { retryAfter: '10s' }))[0]).toBe(10_000)
    expect(waits(options, 0, new TransientError('x', { retryAfter: 10 }))[0]).toBe(1000)
    expect(waits(options, 0, Object.assign(new Error('x'), { retryAfter: 7000 }))[0]).toBe(7000)
    expect(waits({ ...options, maxDelay: '2s' }, 0, new TransientError('x', { retryAfter: '1h' }))[0]).toBe(
      3_600_000,
    )
  })

  it.each(['soon', '30', -5, Number.NaN, Infinity, null, {}, '9'.repeat(100_000)])(
    'takes no notice of a retryAfter nobody understands: %o',
    (retryAfter) => {
      const error = Object.assign(new Error('x'), { retryAfter })
      expect(waits({ backoff: 'fixed', delay: 5, maxAttempts: 2 }, 0, error)[0]).toBe(5)
    },
  )

  it('asks shouldRetry, and takes an error of it for a no', () => {
    const seen: unknown[] = []
    const error = new Error('x')
    expect(waits({ maxAttempts: 2, shouldRetry: (thrown) => seen.push(thrown) > 5 }, 0, error)).toEqual([
      undefined,
      undefined,
    ])
    expect(seen).toEqual([error])
    const broken = (): never => {
      throw new Error('broken')
    }
    expect(waits({ maxAttempts: 2, shouldRetry: broken })[0]).toBeUndefined()
  })

  it.each([undefined, null, 'text', 5])('tries again what was thrown and is no error: %o', (thrown) => {
    expect(waits({ backoff: 'fixed', delay: 5, maxAttempts: 2 }, 0, thrown)[0]).toBe(5)
  })

  it.each<[object | null, string]>([
    [{ maxAttempts: 0 }, 'retry.maxAttempts'],
    [{ maxAttempts: '3' }, 'retry.maxAttempts'],
    [{ delay: -1 }, 'retry.delay'],
    [{ maxDelay: 'soon' }, 'retry.maxDelay'],
    [{ backoff: 'linear' }, 'retry.backoff'],
    [{ shouldRetry: true }, 'retry.shouldRetry'],
    [{ maxAttempt: 3 }, 'Did you mean "maxAttempts"?'],
    [null, 'retry'],
  ])('refuses %o and names the option', (options, named) => {
    expect(() => retryPolicy(options as RetryOptions, defaults)).toThrow(named)
  })
})
