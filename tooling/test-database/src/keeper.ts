import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./keeper.mjs', import.meta.url))

/** A temporary directory and the processes that belong to it; none of it outlives this process. */
export interface Keeper {
  /** The directory, empty at first. Only its owner may list it. */
  readonly directory: string
  /** Has the process stopped with this signal when the keeper closes or this process dies in any way. */
  guard(pid: number, signal: NodeJS.Signals): void
  /**
   * Stops the guarded processes and removes the directory. May be called twice.
   * @throws {Error} when the directory is still there afterwards.
   */
  close(): Promise<void>
}

/**
 * Starts a keeper (see `keeper.mjs`). It also removes what earlier runs, killed together with their keeper,
 * left in the system's temporary directory.
 * @throws {Error} when the keeper cannot make its directory.
 */
export async function openKeeper(): Promise<Keeper> {
  const child = spawn(process.execPath, [program, 'keep', String(process.pid)], {
    detached: true,
    cwd: '/',
    env: keeperEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })
  const [directory] = (await Promise.race([
    once(lines, 'line'),
    exited.then(() => {
      throw new Error(`no temporary directory could be made in ${tmpdir()}`)
    }),
  ])) as [string]
  lines.close()
  child.stdout.destroy()
  // The test process may end without closing: the keeper notices.
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()

  async function close(): Promise<void> {
    child.ref()
    child.stdin.end()
    if (child.exitCode === null && child.signalCode === null) await exited
    if (existsSync(directory)) await removeWithoutKeeper(directory)
  }
  return {
    directory,
    guard: (pid, signal) => void child.stdin.write(`${signal} ${pid}\n`),
    close,
  }
}

async function removeWithoutKeeper(directory: string): Promise<void> {
  const child = spawn(process.execPath, [program, 'remove', directory], {
    env: keeperEnvironment(),
    stdio: 'ignore',
  })
  await once(child, 'exit')
  if (existsSync(directory)) throw new Error(`${directory} could not be removed`)
}

/** Without NODE_OPTIONS and coverage settings, which would make the keeper slow or fail. */
function keeperEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], TMPDIR: tmpdir() }
}
