import { SerializationError } from '../errors.js'
import { define } from './encode.js'

/**
 * Makes the value again that {@link encode} was given. Nothing is executed and no class is looked up by name.
 * @throws SerializationError when the text is not what `encode` writes.
 */
export function decode(text: string): unknown {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new SerializationError('$', 'the stored text is not JSON.', { cause })
  }
  // Only tags need a second look, and each has a key that begins with $.
  if (!text.includes('"$')) return json
  try {
    return revive(json)
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause
    throw new SerializationError('$', 'the stored text holds a tag with the wrong value.', { cause })
  }
}

function revive(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(revive)
  const keys = Object.keys(json)
  const only = keys.length === 1 ? keys[0] : undefined
  if (only?.startsWith('$') === true) return untag(only, (json as Record<string, unknown>)[only])
  return plain(json)
}

function plain(json: object, target: object = {}): object {
  for (const [key, value] of Object.entries(json)) define(target, key, revive(value))
  return target
}

function untag(tag: string, value: unknown): unknown {
  switch (tag) {
    case '$object':
      return plain(value as object)
    case '$bare':
      return plain(unwrapped(value), Object.create(null) as object)
    case '$undefined':
      return undefined
    case '$number':
      return Number(value)
    case '$bigint':
      return BigInt(value as string)
    case '$date':
      return new Date(value === null ? Number.NaN : (value as string))
    case '$map':
      return new Map((value as [unknown, unknown][]).map(([k, v]) => [revive(k), revive(v)]))
    case '$set':
      return new Set((value as unknown[]).map(revive))
    case '$bytes':
      return new Uint8Array(Buffer.from(value as string, 'base64'))
    case '$buffer':
      return Buffer.from(value as string, 'base64')
    default:
      throw new SerializationError('$', `unknown tag ${JSON.stringify(tag)}: written by a newer pgqrs?`)
  }
}

// An object without a prototype whose only key begins with $ was wrapped in $object inside $bare.
function unwrapped(value: unknown): object {
  const keys = Object.keys(value as object)
  return keys.length === 1 && keys[0] === '$object'
    ? (value as { $object: object }).$object
    : (value as object)
}
