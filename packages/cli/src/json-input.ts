import { InvalidArgumentError, PayloadError } from '@pgqrs/core'
import type { InputStream } from './io.js'

// Far above what a queue takes; an input that never ends has to end somewhere.
const LONGEST_INPUT_BYTES = 64 * 1024 * 1024

/**
 * A value from an argument, or from standard input when there is none.
 * @throws InvalidArgumentError when it is not JSON
 */
export async function readJson(argument: string | undefined, stdin: InputStream): Promise<unknown> {
  const text = argument ?? (await readText(stdin))
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const where = argument === undefined ? 'Standard input' : 'The payload'
    throw new InvalidArgumentError(`${where} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

async function readText(stdin: InputStream): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array)
    bytes += piece.byteLength
    if (bytes > LONGEST_INPUT_BYTES) {
      throw new PayloadError(`Standard input has more than ${LONGEST_INPUT_BYTES} bytes.`)
    }
    chunks.push(piece)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (cause) {
    throw new InvalidArgumentError('Standard input is not UTF-8.', { cause })
  }
}
