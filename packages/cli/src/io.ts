import type { Readable, Writable } from 'node:stream'

/** Where a command reads; of a terminal `isTTY` is true. */
export interface InputStream extends Readable {
  readonly isTTY?: boolean
}

/** Where a command writes; of a terminal `isTTY` is true and `columns` its width. */
export interface OutputStream extends Writable {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The three streams of a command. */
export interface Io {
  readonly stdin: InputStream
  /** What was asked for. */
  readonly stdout: OutputStream
  /** Errors, questions, progress. */
  readonly stderr: OutputStream
}

/** Columns of the terminal; undefined when it is none. A terminal that does not say how wide it is counts as 80. */
export function terminalWidth({ isTTY, columns = 0 }: OutputStream): number | undefined {
  if (isTTY !== true) return undefined
  return columns > 0 ? columns : 80
}
