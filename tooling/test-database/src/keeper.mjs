/**
 * The keeper: a small process beside the test process that owns what must not be left behind.
 *
 * It makes a temporary directory, is told which processes belong to it, and waits for its standard input to
 * close. That happens when the owner lets go and, the kernel sees to it, when the owner dies in any way. Then it
 * stops the processes and removes the directory. It is plain JavaScript because it must start at once and stay
 * small; it runs in a session of its own, so that Ctrl-C in the terminal does not reach it.
 *
 *     node keeper.mjs keep <owner pid>     make a directory, print its path, guard it until stdin closes;
 *                                          meanwhile remove directories whose owner and keeper are both dead
 *     node keeper.mjs remove <directory>   stop what a directory guards and remove it
 *
 * On standard input: `<signal> <pid>` lines, a process to stop with that signal.
 */
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const POLITE_MS = 8_000
const KILLED_MS = 2_000
const DIRECTORY = /^pgqrs-test-(\d+)-(\d+)-(\d+)-\w+$/

/**
 * When a process started, as a number that two processes with the same pid do not share.
 * @param {number} pid
 * @returns {string | undefined} undefined when there is no such process, or it is a zombie
 */
function startOf(pid) {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    }
    const line = execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim()
    return line.startsWith('Z') ? undefined : String(Date.parse(line.replace(/^\S+\s+/, '')))
  } catch {
    return undefined
  }
}

/**
 * A number for the space in which this machine's pids mean something: containers that share a temporary
 * directory do not share their pids.
 */
function pidSpace() {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch {
    return '0'
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone in the meantime, which is what was wanted.
  }
}

/**
 * @param {number} pid
 * @param {string} start
 * @param {number} ms
 * @returns {Promise<boolean>} whether the process is gone
 */
async function goneWithin(pid, start, ms) {
  const deadline = Date.now() + ms
  while (startOf(pid) === start) {
    if (Date.now() > deadline) return false
    await sleep(10)
  }
  return true
}

/**
 * @param {string} line `<signal> <pid> <start>`
 */
async function stopGuarded(line) {
  const [signal, pidText, start] = line.split(' ')
  const pid = Number(pidText)
  if (!signal || !start || !pid || startOf(pid) !== start) return
  signalProcess(pid, /** @type {NodeJS.Signals} */ (signal))
  // A process that a test has frozen must wake up to die of anything but SIGKILL.
  signalProcess(pid, 'SIGCONT')
  if (await goneWithin(pid, start, POLITE_MS)) return
  signalProcess(pid, 'SIGKILL')
  await goneWithin(pid, start, KILLED_MS)
}

/** @param {string} directory */
function guardedLines(directory) {
  try {
    return readFileSync(join(directory, 'guarded'), 'latin1').split('\n')
  } catch {
    return []
  }
}

/** @param {string} directory */
async function remove(directory) {
  await Promise.all(guardedLines(directory).map(stopGuarded))
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
}

async function sweep() {
  for (const name of readdirSync(tmpdir())) {
    const [, space, pid, start] = DIRECTORY.exec(name) ?? []
    if (space !== pidSpace() || startOf(Number(pid)) === start) continue
    const directory = join(tmpdir(), name)
    try {
      if (process.getuid?.() === 0 || statSync(directory).uid === process.getuid?.()) await remove(directory)
    } catch {
      // Another keeper is removing it.
    }
  }
}

/** @param {number} owner */
async function keep(owner) {
  const prefix = `pgqrs-test-${pidSpace()}-${owner}-${startOf(owner) ?? 0}-`
  const directory = mkdtempSync(join(tmpdir(), prefix))
  // A database server that gave up root has to be able to walk through.
  chmodSync(directory, 0o711)
  process.stdout.on('error', () => {})
  process.stdout.write(`${directory}\n`)
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const start = startOf(Number(line.split(' ')[1]))
    if (start !== undefined) appendFileSync(join(directory, 'guarded'), `${line} ${start}\n`)
  })
  const released = new Promise((resolve) => lines.once('close', resolve))
  await Promise.all([released.then(() => remove(directory)), sweep()])
}

const [, , task, argument] = process.argv
if (task === 'keep') await keep(Number(argument))
if (task === 'remove' && argument && DIRECTORY.test(basename(argument))) await remove(argument)
