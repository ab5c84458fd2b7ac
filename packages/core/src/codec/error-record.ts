import * as errors from '../errors.js'
import { PgqrsError } from '../errors.js'
import { decode } from './decode.js'
import { encode } from './encode.js'

/** A class of errors, as `errors: [PaymentDeclined]` lists them. */
export type ErrorClass = abstract new (...args: never[]) => Error

/** What is kept of an error. Everything in it is a string of bounded length, so it can always be stored. */
export interface ErrorRecord {
  readonly class: string
  readonly name: string
  readonly message: string
  readonly code?: string | number
  readonly stack?: string
  /** Own fields of the error that the codec can carry, encoded. */
  readonly fields?: string
  readonly cause?: ErrorRecord
  /** The errors of an AggregateError. */
  readonly errors?: readonly ErrorRecord[]
  /** The thrown value was no error; this is it, encoded, when the codec can carry it. */
  readonly thrown?: string
  /** The step whose recorded error this is. */
  readonly step?: string
}

const LONGEST_NAME = 200
const LONGEST_MESSAGE = 8 * 1024
const LONGEST_STACK = 16 * 1024
const LARGEST_FIELDS = 16 * 1024
const DEEPEST_CAUSE = 5
const MOST_ERRORS = 10

/** Describes whatever was thrown. Never throws, whatever the value does (getters that throw, cycles, no error at all). */
export function toErrorRecord(thrown: unknown, depth = 0): ErrorRecord {
  if (!isError(thrown)) {
    return {
      class: 'thrown',
      name: 'Error',
      message: clip(text(() => String(thrown)) ?? 'a value that cannot be shown', LONGEST_MESSAGE),
      ...optional(
        'thrown',
        text(() => encode(thrown)),
      ),
    }
  }
  const code = attempt(() => (thrown as { code?: unknown }).code)
  const cause = attempt(() => thrown.cause)
  return {
    class: clip(text(() => thrown.constructor.name) ?? 'Error', LONGEST_NAME),
    name: clip(text(() => thrown.name) ?? 'Error', LONGEST_NAME),
    message: clip(text(() => thrown.message) ?? '', LONGEST_MESSAGE),
    ...optional('code', typeof code === 'string' ? clip(code, LONGEST_NAME) : number(code)),
    ...optional(
      'stack',
      clipped(
        text(() => thrown.stack),
        LONGEST_STACK,
      ),
    ),
    ...optional('fields', fieldsOf(thrown)),
    ...optional(
      'cause',
      cause === undefined || depth >= DEEPEST_CAUSE ? undefined : toErrorRecord(cause, depth + 1),
    ),
    ...optional('errors', errorsOf(thrown, depth)),
  }
}

// A proxy may throw even when it is asked what it is.
function isError(thrown: unknown): thrown is Error {
  return attempt(() => thrown instanceof Error) === true
}

function errorsOf(error: Error, depth: number): ErrorRecord[] | undefined {
  if (!(error instanceof AggregateError) || depth > 1) return undefined
  return attempt(() => error.errors.slice(0, MOST_ERRORS).map((one) => toErrorRecord(one, depth + 1)))
}

const OWN_PLACE = new Set(['name', 'message', 'stack', 'cause', 'code'])

function fieldsOf(error: Error): string | undefined {
  const fields: Record<string, unknown> = {}
  for (const key of attempt(() => Object.keys(error)) ?? []) {
    if (OWN_PLACE.has(key)) continue
    const value = attempt(() => (error as unknown as Record<string, unknown>)[key])
    if (value !== undefined && text(() => encode(value)) !== undefined) fields[key] = value
  }
  if (Object.keys(fields).length === 0) return undefined
  const encoded = text(() => encode(fields))
  return encoded === undefined || encoded.length > LARGEST_FIELDS ? undefined : encoded
}

/** The text to store for an error. */
export function encodeError(thrown: unknown, step?: string): string {
  return JSON.stringify({ ...toErrorRecord(thrown), ...optional('step', step) })
}

/** The stored record of an error. */
export function parseErrorRecord(stored: string): ErrorRecord {
  return JSON.parse(stored) as ErrorRecord
}

const builtIn: ReadonlyMap<string, ErrorClass> = new Map<string, ErrorClass>(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map(
    (c) => [c.name, c],
  ),
)
const ours: ReadonlyMap<string, ErrorClass> = new Map(
  Object.entries(errors).filter(
    (entry): entry is [string, typeof PgqrsError] =>
      entry[1] === PgqrsError || entry[1].prototype instanceof PgqrsError,
  ),
)

/**
 * Makes the error again: the same class when it is built in, one of pgqrs's, or among `classes`; otherwise an `Error`
 * with the same name. Name, message, code, cause and storable fields are the same in any case.
 */
export function fromErrorRecord(record: ErrorRecord, classes: readonly ErrorClass[] = []): unknown {
  if (record.thrown !== undefined) return decode(record.thrown)
  const cause = record.cause === undefined ? undefined : fromErrorRecord(record.cause, classes)
  const error = new Error(record.message, cause === undefined ? undefined : { cause })
  const known =
    classes.find((c) => c.name === record.class) ??
    ours.get(record.class) ??
    builtIn.get(record.class) ??
    Error
  // The constructor of a foreign class may do anything; giving the prototype to a real Error does not run it.
  Object.setPrototypeOf(error, known.prototype as object)
  const fields = record.fields === undefined ? {} : (decode(record.fields) as object)
  for (const [key, value] of Object.entries(fields)) hide(error, key, value, true)
  if (error.name !== record.name) hide(error, 'name', record.name, false)
  if (record.code !== undefined) hide(error, 'code', record.code, true)
  if (record.errors !== undefined) {
    hide(
      error,
      'errors',
      record.errors.map((one) => fromErrorRecord(one, classes)),
      false,
    )
  }
  hide(error, 'stack', record.stack ?? `${record.name}: ${record.message}`, false)
  return error
}

function hide(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true })
}

function attempt<T>(get: () => T): T | undefined {
  try {
    return get()
  } catch {
    return undefined
  }
}

function text(get: () => unknown): string | undefined {
  const value = attempt(get)
  return typeof value === 'string' ? value : undefined
}

function number(value: unknown): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined
}

function clipped(value: string | undefined, longest: number): string | undefined {
  return value === undefined ? undefined : clip(value, longest)
}

function clip(value: string, longest: number): string {
  return value.length <= longest ? value : `${value.slice(0, longest)}… (${value.length} characters)`
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V })
}
