import leven from 'leven'
import { ConfigError, InvalidArgumentError } from './errors.js'

const LONGEST_NAME_BYTES = 200
const LONGEST_STEP_BYTES = 600

// Postgres cannot index more, and what holds on one database must hold on all.
const LONGEST_PATH_BYTES = 2000

/** Letters, digits and `_ - . : /`, beginning with a letter, digit or underscore. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.:/-]*$/

/**
 * Checks the name of a queue, workflow, step or worker. Names are data and always bound as parameters; the narrow
 * alphabet keeps them readable in logs, shells and URLs.
 * @throws InvalidArgumentError
 */
export function checkName(kind: 'queue' | 'workflow' | 'step' | 'worker', name: string): string {
  // A slash in the name of a step would look like a scope.
  const slash = kind === 'step' ? '' : ' /'
  const isName = typeof name === 'string' && name.length <= LONGEST_NAME_BYTES && NAME.test(name)
  if (!isName || (slash === '' && name.includes('/'))) {
    throw new InvalidArgumentError(
      `${display(name)} is not a ${kind} name: use 1 to ${LONGEST_NAME_BYTES} of the characters ` +
        `A-Z a-z 0-9 _ - . :${slash} and begin with a letter, a digit or _.`,
    )
  }
  return name
}

/**
 * Checks the full name of a step, with the scopes and keys it stands in.
 * @throws InvalidArgumentError
 */
export function checkStepPath(path: string): string {
  const bytes = typeof path === 'string' ? Buffer.byteLength(path) : 0
  if (bytes === 0 || bytes > LONGEST_PATH_BYTES || hasControlCharacter(path) || !path.isWellFormed()) {
    throw new InvalidArgumentError(
      `${display(path)} is not the name of a step: with its scopes and keys it has 1 to ${LONGEST_PATH_BYTES} bytes ` +
        'and no control characters.',
    )
  }
  return path
}

/**
 * Checks a key (of a message or a step). A key is free text without control characters.
 * @throws InvalidArgumentError
 */
export function checkKey(kind: 'message' | 'step', key: string): string {
  const bytes = typeof key === 'string' ? Buffer.byteLength(key) : 0
  if (bytes === 0 || bytes > LONGEST_STEP_BYTES || hasControlCharacter(key) || !key.isWellFormed()) {
    throw new InvalidArgumentError(
      `${display(key)} is not a ${kind} key: use 1 to ${LONGEST_STEP_BYTES} bytes of text without control characters.`,
    )
  }
  return key
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 32 || code === 127) return true
  }
  return false
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,47}$/

/**
 * Checks the name of a Postgres schema, the only identifier a user can choose.
 * @throws InvalidArgumentError
 */
export function checkSchema(schema: string): string {
  if (typeof schema !== 'string' || !SCHEMA.test(schema)) {
    throw new InvalidArgumentError(
      `${display(schema)} is not a schema name pgqrs accepts: use 1 to 48 of a-z 0-9 _ and begin with a letter or _.`,
    )
  }
  return schema
}

/** A value from outside, quoted and short enough for an error message, with nothing that moves a terminal's cursor. */
export function display(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(clipped(withoutSecrets(value.slice(0, 2000))))
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return value instanceof Date ? 'a Date' : 'an object'
  return clipped(String(value))
}

/** A text without the passwords and tokens of the addresses in it. */
export function withoutSecrets(text: string): string {
  const masked = text.replace(/\/\/\S*@/g, '//…@').replace(/[^\s/:]+:[^\s/]\S*@/g, '…@')
  return masked.replace(/([?&](?:authToken|password)=)[^&\s]*/gi, '$1…')
}

function clipped(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** The candidate nearest to `name`, when one is near enough to be a typing error. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = leven(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `"Did you mean …?"` with a leading space, or nothing. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const near = nearest(name, candidates)
  return near === undefined ? '' : ` Did you mean ${display(near)}?`
}

/**
 * Refuses option keys nobody reads, with the nearest one that is read.
 * @throws ConfigError
 * @throws InvalidArgumentError when the options are no object
 */
export function checkKeys(options: object, known: readonly string[], what: string): void {
  const given: unknown = options
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new InvalidArgumentError(`${what}: the options must be an object. Got ${display(given)}.`)
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new ConfigError(`${what}: unknown option ${display(key)}.${suggestion(key, known)}`)
    }
  }
}
