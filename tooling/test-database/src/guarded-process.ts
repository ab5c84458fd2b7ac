import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Keeper } from './keeper.js'
import type { SpawnUser } from './unprivileged-user.js'

/** How to run a server program. */
export interface GuardedProgram {
  file: string
  args: string[]
  /** The file to which its output is appended. */
  log: string
  user: SpawnUser
  /** The signal that makes it stop at once, with its children. */
  endBy: NodeJS.Signals
}

// So that PGDATA, PGPORT, a locale or a time zone of the developer's shell change nothing.
const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }

/**
 * Starts a program that ends with its keeper, in a session of its own, where Ctrl-C does not reach it.
 * @throws {Error} when it cannot be executed.
 */
export async function startGuarded(keeper: Keeper, program: GuardedProgram): Promise<ChildProcess> {
  const log = openSync(program.log, 'a')
  try {
    const child = spawn(program.file, program.args, {
      ...program.user,
      cwd: keeper.directory,
      detached: true,
      env: environment,
      stdio: ['ignore', log, log],
    })
    if (child.pid !== undefined) keeper.guard(child.pid, program.endBy)
    await once(child, 'spawn')
    return child
  } finally {
    closeSync(log)
  }
}

/** Whether a child process has ended. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** The last lines of a log, for an error message; empty when there is no log. */
export async function lastLines(log: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-20).join('\n')
}
