import { escapeJson } from './escape.js'

/**
 * A value as JSON, whatever pgqrs can store in it: dates are ISO strings; bigints, NaN and the infinities strings; a Map
 * is an array of pairs, a Set an array; bytes are base64; what is undefined is null. An error is an object with name,
 * message, its own fields, stack and cause.
 */
export function toJson(value: unknown, indent = 2): string {
  return escapeJson(JSON.stringify(plain(value), null, indent))
}

function plain(value: unknown): unknown {
  switch (typeof value) {
    case 'bigint':
      return value.toString()
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'object':
      return value === null ? null : plainObject(value)
    case 'string':
    case 'boolean':
      return value
    default:
      return null
  }
}

function plainObject(value: object): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Map) return [...value].map(([k, v]) => [plain(k), plain(v)])
  if (value instanceof Set) return [...value].map(plain)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Error) return plainError(value)
  // Defines every key as data, __proto__ too.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

function plainError(error: Error): unknown {
  const own = Object.entries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key))
  return {
    name: error.name,
    message: error.message,
    ...Object.fromEntries(own.map(([key, item]) => [key, plain(item)])),
    stack: error.stack ?? null,
    ...(error.cause === undefined ? {} : { cause: plain(error.cause) }),
  }
}
