import { defaultLimits, type ValueLimits } from '../codec/limits.js'
import { toCount } from '../duration.js'
import { InvalidArgumentError } from '../errors.js'
import { checkKeys, display } from '../names.js'

/** What payloads of a queue may be at most. Checked before any I/O; a batch is refused whole. */
export interface PayloadLimits {
  /** Bytes of the encoded payload. Default 1 MiB. */
  readonly maxBytes?: number
  /** Levels of nesting. Default 100. */
  readonly maxDepth?: number
  /** Characters of any one string. Default: no limit. */
  readonly maxStringLength?: number
  /** Keys that may appear nowhere in the payload. */
  readonly forbiddenKeys?: readonly string[]
  /** Keys the payload must have at its top level. */
  readonly requiredKeys?: readonly string[]
}

const keys = ['maxBytes', 'maxDepth', 'maxStringLength', 'forbiddenKeys', 'requiredKeys']

/**
 * Checks limits and fills in defaults.
 * @throws InvalidArgumentError or ConfigError
 */
export function valueLimits(limits: PayloadLimits | undefined): ValueLimits {
  if (limits === undefined) return defaultLimits
  checkKeys(limits, keys, 'limits')
  return {
    maxBytes: toCount(limits.maxBytes ?? defaultLimits.maxBytes, 'limits.maxBytes'),
    maxDepth: toCount(limits.maxDepth ?? defaultLimits.maxDepth, 'limits.maxDepth', 1, 1000),
    maxStringLength:
      limits.maxStringLength === undefined
        ? undefined
        : toCount(limits.maxStringLength, 'limits.maxStringLength', 0),
    forbiddenKeys: new Set(texts(limits.forbiddenKeys, 'limits.forbiddenKeys')),
    requiredKeys: texts(limits.requiredKeys, 'limits.requiredKeys'),
  }
}

// A single text would be taken for a list of its letters.
function texts(list: unknown, what: string): readonly string[] {
  if (list === undefined) return []
  if (Array.isArray(list) && list.every((item): item is string => typeof item === 'string')) return list
  throw new InvalidArgumentError(`${what} must be a list of texts. Got ${display(list)}.`)
}
