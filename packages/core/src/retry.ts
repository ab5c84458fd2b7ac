import { toCount, toMs, type Duration } from './duration.js'
import { InvalidArgumentError, TerminalError } from './errors.js'
import { checkKeys, display } from './names.js'
import type { Random } from './random.js'

/** When and how often something that threw is tried again. */
export interface RetryOptions {
  /** Attempts in all, the first included. */
  readonly maxAttempts?: number
  /** How waits grow. `exponential-jitter` draws each wait between half and all of the exponential one. */
  readonly backoff?: 'fixed' | 'exponential' | 'exponential-jitter'
  /** The first wait. */
  readonly delay?: Duration
  /** No wait is longer. */
  readonly maxDelay?: Duration
  /** Has the last word on errors that may be retried; an error it throws counts as "no". */
  readonly shouldRetry?: (error: unknown) => boolean
}

/** Retry options, checked, with every default filled in. Spans are in milliseconds. */
export interface RetryPolicy {
  readonly maxAttempts: number
  readonly backoff: 'fixed' | 'exponential' | 'exponential-jitter'
  readonly delayMs: number
  readonly maxDelayMs: number
  readonly shouldRetry: (error: unknown) => boolean
}

const keys = ['maxAttempts', 'backoff', 'delay', 'maxDelay', 'shouldRetry']

/**
 * Checks retry options.
 * @throws InvalidArgumentError or ConfigError
 */
export function retryPolicy(
  options: RetryOptions | undefined,
  defaults: { maxAttempts: number; maxDelay: Duration },
): RetryPolicy {
  const given = options === undefined ? {} : options
  checkKeys(given, keys, 'retry')
  const backoff = given.backoff ?? 'exponential-jitter'
  if (!['fixed', 'exponential', 'exponential-jitter'].includes(backoff)) {
    throw new InvalidArgumentError(
      `retry.backoff must be fixed, exponential or exponential-jitter. Got ${display(backoff)}.`,
    )
  }
  if (given.shouldRetry !== undefined && typeof given.shouldRetry !== 'function') {
    throw new InvalidArgumentError(`retry.shouldRetry must be a function. Got ${display(given.shouldRetry)}.`)
  }
  return {
    maxAttempts: toCount(given.maxAttempts ?? defaults.maxAttempts, 'retry.maxAttempts'),
    backoff,
    delayMs: toMs(given.delay ?? 1000, 'retry.delay'),
    maxDelayMs: toMs(given.maxDelay ?? defaults.maxDelay, 'retry.maxDelay'),
    shouldRetry: given.shouldRetry ?? (() => true),
  }
}

/**
 * Checks retry options that refine a policy: what they do not say stays.
 * @throws InvalidArgumentError or ConfigError
 */
export function refinedPolicy(options: RetryOptions, base: RetryPolicy): RetryPolicy {
  const { maxAttempts, backoff, delayMs: delay, maxDelayMs: maxDelay, shouldRetry } = base
  return retryPolicy(
    { maxAttempts, backoff, delay, maxDelay, shouldRetry, ...options },
    { maxAttempts, maxDelay },
  )
}

/**
 * Milliseconds until the next attempt after `failures` failures, or undefined when there is none.
 * `TerminalError` is never retried; the `retryAfter` of an error is a lower bound.
 */
export function nextAttemptIn(
  policy: RetryPolicy,
  error: unknown,
  failures: number,
  random: Random,
): number | undefined {
  if (failures >= policy.maxAttempts || !allowed(policy, error)) return undefined
  const asked = retryAfterMs(error)
  if (policy.backoff === 'fixed') return Math.max(policy.delayMs, asked)
  // No wait needs a larger power, and a delay of zero times infinity would be no number.
  const exponential = Math.min(policy.delayMs * 2 ** Math.min(failures - 1, 60), policy.maxDelayMs)
  const wait = policy.backoff === 'exponential' ? exponential : exponential * (0.5 + random.fraction() / 2)
  // Whole milliseconds are what is stored, and what events and logs should say.
  return Math.ceil(Math.max(wait, asked))
}

function allowed(policy: RetryPolicy, error: unknown): boolean {
  try {
    return !(error instanceof TerminalError) && policy.shouldRetry(error)
  } catch {
    return false
  }
}

function retryAfterMs(error: unknown): number {
  try {
    const { retryAfter } = error as { retryAfter?: unknown }
    return typeof retryAfter === 'number' || typeof retryAfter === 'string'
      ? toMs(retryAfter, 'retryAfter')
      : 0
  } catch {
    // Nothing was thrown, a getter throws, or it is no duration.
    return 0
  }
}
