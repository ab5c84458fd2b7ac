import { parse } from '@lukeed/ms'
import { InvalidArgumentError } from './errors.js'
import { display } from './names.js'

/** A span of time: milliseconds, or a number with a unit such as `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = number | string

// A span that still lands on a date a Postgres timestamptz and a JavaScript Date both know.
const LONGEST_MS = 1000 * 365.25 * 24 * 3600 * 1000
// The parser needs quadratic time for digits, and `retryAfter` may be what a server sent.
const LONGEST_TEXT = 40

/**
 * Milliseconds of a duration.
 * @param what names the option in the error, for instance `'lease'`.
 * @throws InvalidArgumentError when it is negative, not finite, or not a duration at all.
 */
export function toMs(value: Duration, what: string, minimum = 0): number {
  const ms = typeof value === 'number' ? value : parseUnits(value)
  if (ms === undefined || !Number.isFinite(ms) || ms < minimum || ms > LONGEST_MS) {
    const least = minimum > 0 ? ` of at least ${minimum} ms` : ''
    throw new InvalidArgumentError(
      `${what} must be a duration${least}: milliseconds or a string like '30s', '5m', '1h'. Got ${display(value)}.`,
    )
  }
  return ms
}

function parseUnits(text: string): number | undefined {
  // A bare number in a string has no unit: '30' could mean seconds to its writer and milliseconds to us.
  if (typeof text !== 'string' || text.length > LONGEST_TEXT || /^\s*-?[\d.]+\s*$/.test(text))
    return undefined
  // The parser takes zero for nothing, so it is only asked whether it knows the unit.
  const unitOfZero = /^0*\.?0+( *[a-z]+)$/i.exec(text)?.[1]
  if (unitOfZero !== undefined) return parse(`1${unitOfZero}`) === undefined ? undefined : 0
  return parse(text)
}

/**
 * A count, checked.
 * @throws InvalidArgumentError when it is not a whole number between `minimum` and `maximum`.
 */
export function toCount(value: number, what: string, minimum = 1, maximum = 2_147_483_647): number {
  if (!Number.isInteger(value) || value < minimum || value > maximum) {
    throw new InvalidArgumentError(
      `${what} must be a whole number from ${minimum} to ${maximum}. Got ${display(value)}.`,
    )
  }
  return value
}
