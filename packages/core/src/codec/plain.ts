import type { ValueLimits } from './limits.js'

/**
 * Whether `JSON.stringify` alone encodes a value exactly and within the limits: most payloads and results. It copies
 * nothing and builds no paths, so it costs a fraction of the walk that can say what is wrong. When in doubt it says no.
 */
export function isPlain(value: unknown, limits: ValueLimits): boolean {
  const { maxStringLength, forbiddenKeys, requiredKeys } = limits
  if (maxStringLength !== undefined || forbiddenKeys.size > 0 || requiredKeys.length > 0) return false
  left = MOST_VALUES
  try {
    return plain(value, limits.maxDepth)
  } catch {
    // A proxy that refuses; the walk says where.
    return false
  }
}

// An object met twice at each level would otherwise be walked for ever; the walk knows when to give up.
const MOST_VALUES = 20_000
let left = 0

function plain(value: unknown, deeper: number): boolean {
  if (--left < 0) return false
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || (deeper > 0 && nested(value, deeper - 1))
    default:
      return false
  }
}

function nested(value: object, deeper: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  const isArray = prototype === Array.prototype
  if (!isArray && prototype !== Object.prototype) return false
  const keys = Object.keys(value)
  // Holes and properties of an array's own, and the marks of the codec, are for the walk.
  if (isArray ? keys.length !== (value as unknown[]).length : keys.length === 1 && keys[0]?.startsWith('$'))
    return false
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  for (const key of keys) {
    // Not a plain read: a getter might answer the encoder otherwise.
    if (!plain(Object.getOwnPropertyDescriptor(value, key)?.value, deeper)) return false
  }
  return true
}
