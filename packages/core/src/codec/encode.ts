import { PayloadError, PgqrsError, SerializationError } from '../errors.js'
import { defaultLimits, type ValueLimits } from './limits.js'
import { isPlain } from './plain.js'

/**
 * Encodes a value as JSON text from which {@link decode} makes the very same value, class and all: JSON's own kinds,
 * and `undefined`, `Date`, `bigint`, `Map`, `Set`, `Uint8Array`, `Buffer`, `NaN`, the infinities and `-0`. Plain
 * values look like plain JSON in the database; the others are objects with one key that begins with `$`.
 * @throws SerializationError with the path of what cannot come back as it was: functions, symbols, class instances,
 * cycles, sparse arrays, arrays and dates with properties of their own.
 * @throws PayloadError when a limit is broken.
 */
export function encode(value: unknown, limits: ValueLimits = defaultLimits): string {
  const text = isPlain(value, limits) ? JSON.stringify(value) : walked(value, limits)
  // A character is at most three bytes of UTF-8, so most values need no counting.
  if (text.length * 3 > limits.maxBytes) {
    const bytes = Buffer.byteLength(text)
    if (bytes > limits.maxBytes) throw tooLarge(`${bytes}`, limits)
  }
  return text
}

function walked(value: unknown, limits: ValueLimits): string {
  const json = new Walk(limits).value(value, '$', 0)
  requireKeys(value, limits)
  return JSON.stringify(json)
}

function tooLarge(bytes: string, limits: ValueLimits): PayloadError {
  return new PayloadError(`The value has ${bytes} bytes encoded; the limit is ${limits.maxBytes} (maxBytes).`)
}

function requireKeys(value: unknown, limits: ValueLimits): void {
  for (const key of limits.requiredKeys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
      throw new PayloadError(`The value lacks the required key ${JSON.stringify(key)}.`)
    }
  }
}

class Walk {
  // The objects between the root and here: meeting one again is a cycle.
  private readonly above = new Set<object>()
  // Never more than the bytes of the encoded value, so that a hopeless one is given up early: one that contains the
  // same object twice at each level would otherwise take for ever.
  private atLeast = 0

  constructor(private readonly limits: ValueLimits) {}

  value(value: unknown, path: string, depth: number): unknown {
    this.count(1)
    switch (typeof value) {
      case 'string':
        return this.string(value, path)
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : { $number: Object.is(value, -0) ? '-0' : String(value) }
      case 'boolean':
        return value
      case 'bigint':
        return { $bigint: value.toString() }
      case 'undefined':
        return { $undefined: true }
      case 'object':
        return value === null ? null : this.nested(value, path, depth)
      case 'function':
        throw refused(path, 'a function cannot be stored.')
      case 'symbol':
        throw refused(path, 'a symbol cannot be stored.')
    }
  }

  private count(bytes: number): void {
    this.atLeast += bytes
    if (this.atLeast > this.limits.maxBytes) throw tooLarge(`more than ${this.limits.maxBytes}`, this.limits)
  }

  private string(text: string, path: string): string {
    const most = this.limits.maxStringLength
    if (most !== undefined && text.length > most) {
      throw new PayloadError(
        `${shown(path)}: the string has ${text.length} characters; the limit is ${most} (maxStringLength).`,
      )
    }
    this.count(text.length)
    return text
  }

  private nested(value: object, path: string, depth: number): unknown {
    if (depth >= this.limits.maxDepth) {
      throw new PayloadError(`${shown(path)}: nested deeper than ${this.limits.maxDepth} levels (maxDepth).`)
    }
    if (this.above.has(value)) throw refused(path, 'a cycle: this object contains itself.')
    this.above.add(value)
    try {
      return this.object(value, path, depth + 1)
    } catch (cause) {
      if (cause instanceof PgqrsError) throw cause
      throw refused(path, 'reading it throws an error.', cause)
    } finally {
      this.above.delete(value)
    }
  }

  private object(value: object, path: string, depth: number): unknown {
    const prototype: unknown = Object.getPrototypeOf(value)
    switch (prototype) {
      case Object.prototype:
        return this.plain(value, path, depth)
      case null:
        return { $bare: this.plain(value, path, depth) }
      case Array.prototype:
        return this.array(value as unknown[], path, depth)
      case Date.prototype:
        nothingElse(value, path)
        return { $date: dateText(value as Date) }
      case Map.prototype: {
        nothingElse(value, path)
        const entries = [...(value as Map<unknown, unknown>)]
        return {
          $map: entries.map(([k, v], i) => [
            this.value(k, `${path}.key(${i})`, depth),
            this.value(v, `${path}.value(${i})`, depth),
          ]),
        }
      }
      case Set.prototype:
        nothingElse(value, path)
        return {
          $set: [...(value as Set<unknown>)].map((v, i) => this.value(v, `${path}.item(${i})`, depth)),
        }
      case Uint8Array.prototype:
        this.count((value as Uint8Array).length)
        return { $bytes: Buffer.from(value as Uint8Array).toString('base64') }
      case Buffer.prototype:
        this.count((value as Buffer).length)
        return { $buffer: (value as Buffer).toString('base64') }
      default:
        throw refused(path, `an instance of ${className(prototype)} would not come back as one.`)
    }
  }

  private array(items: unknown[], path: string, depth: number): unknown[] {
    const json = new Array<unknown>(items.length)
    for (let i = 0; i < items.length; i++) {
      if (!(i in items)) throw refused(`${path}[${i}]`, 'a hole in an array cannot be stored.')
      json[i] = this.value(items[i], `${path}[${i}]`, depth)
    }
    nothingElse(items, path, items.length)
    return json
  }

  private plain(value: object, path: string, depth: number): unknown {
    if (Object.getOwnPropertySymbols(value).length > 0) {
      throw refused(path, 'a property named by a symbol cannot be stored.')
    }
    const json: Record<string, unknown> = {}
    const keys = Object.keys(value)
    for (const key of keys) {
      if (this.limits.forbiddenKeys.has(key)) {
        throw new PayloadError(`${shown(path)}: the key ${JSON.stringify(key)} is forbidden (forbiddenKeys).`)
      }
      this.count(key.length)
      const item = this.value((value as Record<string, unknown>)[key], `${path}.${key}`, depth)
      // Assigning to __proto__ would set the prototype; defining keeps it as data.
      if (key === '__proto__') define(json, key, item)
      else json[key] = item
    }
    return keys.length === 1 && keys[0]?.startsWith('$') === true ? { $object: json } : json
  }
}

/** Refuses properties that would be lost: what `'abc'.match(/b/)` returns has some. */
function nothingElse(value: object, path: string, indexes = 0): void {
  if (Object.keys(value).length > indexes || Object.getOwnPropertySymbols(value).length > 0) {
    throw refused(path, `properties of its own on ${className(Object.getPrototypeOf(value))} would be lost.`)
  }
}

function refused(path: string, what: string, cause?: unknown): SerializationError {
  return new SerializationError(shown(path), what, { cause })
}

// Keys are the caller's data: they may be long and hold what moves the cursor of a terminal.
function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 199)}…` : path).slice(1, -1)
}

function dateText(date: Date): string | null {
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

function className(prototype: unknown): string {
  const constructor = (prototype as { constructor?: { name?: unknown } }).constructor
  return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : 'a class'
}

/** Sets an own property whatever its name. */
export function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}
