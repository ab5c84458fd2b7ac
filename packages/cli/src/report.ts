import { CommanderError } from 'commander'
import { exitCodeOf, type ExitCode } from './exit-codes.js'
import type { OutputStream } from './io.js'
import { maskSecrets } from './mask.js'
import { escapeText } from './output/escape.js'
import { toJson } from './output/json.js'
import { toldBy } from './pgqrs-error.js'

/**
 * Says on standard error what went wrong, in one line or as one JSON object, and returns the exit code. A stack is
 * shown only with PGQRS_DEBUG=1, a password never.
 */
export function reportError(error: unknown, stderr: OutputStream, json: boolean): ExitCode {
  const exitCode = exitCodeOf(error)
  // Commander has written already: help and the version, or through reportUsage.
  if (error instanceof CommanderError) return exitCode
  const code = toldBy(error)?.code ?? 'UNEXPECTED'
  const message = error instanceof Error ? error.message : String(error)
  const stack = process.env['PGQRS_DEBUG'] === '1' ? stacksOf(error) : undefined
  write({ code, message, stack }, stderr, json)
  return exitCode
}

// Stacks and not the errors themselves: a client may have hung its options, password and all, on its error.
function stacksOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 5) return String(error)
  const stack = error.stack ?? String(error)
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stacksOf(error.cause, depth + 1)}`
}

/** Says what was wrong with the arguments, in commander's words. */
export function reportUsage(text: string, stderr: OutputStream, json: boolean): void {
  write({ code: 'USAGE', message: text.replace(/^error: /, '').trim(), stack: undefined }, stderr, json)
}

interface Report {
  readonly code: string
  readonly message: string
  readonly stack: string | undefined
}

function write({ code, message, stack }: Report, stderr: OutputStream, json: boolean): void {
  const said = maskSecrets(message.replace(/\s*\n\s*/g, ' '))
  const traced = stack === undefined ? undefined : maskSecrets(stack)
  if (json) {
    const error = { code, message: said, ...(traced === undefined ? {} : { stack: traced }) }
    stderr.write(`${toJson({ error })}\n`)
    return
  }
  stderr.write(`error [${escapeText(code)}] ${escapeText(said)}\n`)
  if (traced !== undefined) stderr.write(`${traced.split('\n').map(escapeText).join('\n')}\n`)
}
