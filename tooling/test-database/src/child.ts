import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { openKeeper, type Keeper } from './keeper.js'
import { createPrintedLines } from './printed-lines.js'

/** How a child process ended: one of the two is null. */
export interface ChildExit {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Options of `spawnChild`. */
export interface ChildOptions {
  /** Variables over those of this process. */
  env?: Record<string, string>
  cwd?: string
  /** Flags for Node itself, such as `--expose-gc`. */
  nodeFlags?: string[]
  /** The file is JavaScript that imports no source of ours: Node runs it without tsx, which takes a moment to load. */
  plain?: boolean
}

/** A child process that runs a TypeScript file. */
export interface ChildHandle {
  readonly pid: number
  /** The lines of its standard output, from the first one; every iteration starts there and ends with the child. */
  readonly lines: AsyncIterable<string>
  /**
   * The next line that no earlier `waitFor` has passed and that starts with `wanted`, or for which it returns true.
   * @param timeoutMs - by default 10 seconds.
   * @throws {Error} when the line does not come in time or the child ends without it; the message holds everything
   * the child has printed, on standard error too.
   */
  waitFor(wanted: string | ((line: string) => boolean), timeoutMs?: number): Promise<string>
  /** Sends a signal, by default SIGKILL. */
  kill(signal?: NodeJS.Signals): void
  /** Resolves when the child has ended and its output has been read. */
  readonly exited: Promise<ChildExit>
}

let keeper: Promise<Keeper> | undefined

/**
 * Runs a TypeScript file in a Node process of its own, with the workspace's packages taken from source. The child
 * dies with this process, even if both are killed or the child is stopped with SIGSTOP.
 * @param file - an absolute path.
 * @throws {Error} when no process can be started.
 */
export async function spawnChild(
  file: string,
  args: readonly string[] = [],
  options: ChildOptions = {},
): Promise<ChildHandle> {
  const guardian = await (keeper ??= openKeeper())
  const tsx = import.meta.resolve('tsx')
  const source = options.plain === true ? [] : ['--conditions=@pgqrs/source', '--import', tsx]
  const flags = [...source, ...(options.nodeFlags ?? [])]
  const child = spawn(process.execPath, [...flags, file, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  await once(child, 'spawn')
  const pid = child.pid as number
  guardian.guard(pid, 'SIGKILL')

  const lines = createPrintedLines()
  let printed = ''
  let ended = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  }
  createInterface({ input: child.stdout }).on('line', (line) => lines.add(line))
  const exited = new Promise<ChildExit>((resolve) => {
    child.on('close', (code, signal) => {
      ended = true
      lines.end()
      resolve({ code, signal })
    })
  })

  async function waitFor(wanted: string | ((line: string) => boolean), timeoutMs = 10_000): Promise<string> {
    const isPrefix = typeof wanted === 'string'
    const line = await lines.next(isPrefix ? (each) => each.startsWith(wanted) : wanted, timeoutMs)
    if (line !== undefined) return line
    const what = isPrefix ? `a line "${wanted}…"` : 'the line'
    throw new Error(
      ended
        ? `the child ended without ${what}; it printed:\n${printed}`
        : `the child did not print ${what} in ${timeoutMs} ms, but:\n${printed}`,
    )
  }

  return {
    pid,
    lines: { [Symbol.asyncIterator]: () => lines.each() },
    waitFor,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    exited,
  }
}
