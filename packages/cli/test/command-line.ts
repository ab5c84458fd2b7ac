import { PassThrough } from 'node:stream'
import { run } from '../src/index.js'

/** How a command ended and what it said. */
export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Options of {@link pgqrs}. */
export interface Terminal {
  /** What standard input holds; with `columns` what is typed. */
  readonly input?: string | Uint8Array
  /** All three streams are a terminal of this many columns. */
  readonly columns?: number
}

/** Runs the command in this process. */
export async function pgqrs(args: readonly string[], { input = '', columns }: Terminal = {}): Promise<Ended> {
  const terminal = columns === undefined ? {} : { isTTY: true, columns }
  const stdin = Object.assign(new PassThrough(), terminal, { setRawMode: () => undefined })
  const stdout = Object.assign(new PassThrough(), terminal)
  const stderr = Object.assign(new PassThrough(), terminal)
  const texts = [collected(stdout), collected(stderr)]
  if (columns === undefined) stdin.end(input)
  else stdin.write(input)
  const code = await run(args, { stdin, stdout, stderr })
  stdout.end()
  stderr.end()
  const [out = '', err = ''] = await Promise.all(texts)
  return { code, stdout: out, stderr: err }
}

/** Runs the command with `--json` and returns its document. */
export async function json<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await pgqrs([...args, '--json'])
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

async function collected(stream: PassThrough): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
