import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Told, WorkerSetup } from './worker.js'

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number
  /** Rejects when the process ends and nobody has asked it to. */
  readonly failed: Promise<never>
  /** SIGKILL: nothing in the process gets to know. Resolves when it is dead and all it said has been heard. */
  kill(): Promise<void>
  /** Asks it to stop, which gives back the run it holds. Resolves when it has ended. */
  stop(): Promise<void>
}

const STOPS_WITHIN_MS = 3000

/**
 * Starts a worker process. It ends with this one, however this one ends.
 * @param hear - called with each event of the worker.
 */
export function startWorker(setup: WorkerSetup, hear: (told: Told) => void): WorkerProcess {
  const file = fileURLToPath(new URL('./worker.ts', import.meta.url))
  const flags = ['--conditions=@pgqrs/source', '--import', import.meta.resolve('tsx')]
  const child = spawn(process.execPath, [...flags, file], { stdio: 'pipe' })
  let asked = false
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  createInterface({ input: child.stdout }).on('line', (line) => {
    hear(JSON.parse(line) as Told)
  })
  child.on('error', (error) => (complaint += error.message))
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      resolve()
    })
  })
  const failed = new Promise<never>((_, reject) => {
    void ended.then(() => {
      if (!asked)
        reject(new Error(`Worker process ${child.pid ?? ''} has ended by itself.\n${complaint.trim()}`))
    })
  })
  failed.catch(() => undefined)
  // The process may be gone when something is written to it.
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${JSON.stringify(setup)}\n`)

  const kill = (): Promise<void> => {
    asked = true
    child.kill('SIGKILL')
    return ended
  }
  const stop = async (): Promise<void> => {
    asked = true
    child.stdin.end()
    const tooLong = setTimeout(() => void kill(), STOPS_WITHIN_MS)
    await ended
    clearTimeout(tooLong)
  }
  return { pid: child.pid ?? 0, failed, kill, stop }
}
