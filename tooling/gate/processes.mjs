import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const graceMs = 10_000
const groups = new Set()
let interruptedBy

/** The exit code a shell would expect after the signal that stopped us, or undefined. */
export const whenInterrupted = () => interruptedBy && 128 + constants.signals[interruptedBy]

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false // nobody is left in it
  }
}

// npm forwards the terminal's Ctrl-C once more, so a second signal is usual and must not cut the children's clean-up short.
function stop(signal) {
  if (interruptedBy !== undefined) return
  interruptedBy = signal
  for (const pid of groups) signalGroup(pid, signal)
  setTimeout(() => groups.forEach((pid) => signalGroup(pid, 'SIGKILL')), graceMs).unref()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal))

/** Ends what a command left behind in its group, after a moment in which it may end by itself. */
async function sweep(pid) {
  const deadline = Date.now() + (interruptedBy === undefined ? 1_000 : graceMs)
  while (signalGroup(pid, 0) && Date.now() < deadline) await delay(50)
  signalGroup(pid, 'SIGKILL')
}

/**
 * Runs a command to its end. Each has a process group of its own: a signal then reaches all of its descendants
 * exactly once, from here, and what outlives the command can be found and ended.
 * Its output is shown; `kept`, it is also returned; `quiet`, it is only returned.
 */
export async function run(
  command,
  args,
  { cwd = root, env = {}, quiet = false, kept = false, stdin = 'ignore' } = {},
) {
  if (interruptedBy !== undefined) return { code: whenInterrupted(), output: '' }
  const out = quiet || kept ? 'pipe' : 'inherit'
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: { ...process.env, ...env },
    stdio: [stdin, out, out],
  })
  const { pid } = child
  if (pid !== undefined) groups.add(pid)
  let output = ''
  for (const [stream, own] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
      if (!quiet) own.write(text)
    })
  }
  const closed = once(child, 'close').catch(() => undefined)
  const code = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += error.message
      if (!quiet) console.error(error.message)
      resolve(127)
    })
    child.on('exit', (exitCode, signal) => resolve(exitCode ?? 128 + constants.signals[signal]))
  })
  if (pid !== undefined) {
    await sweep(pid)
    groups.delete(pid)
    await closed
  }
  return { code, output }
}
