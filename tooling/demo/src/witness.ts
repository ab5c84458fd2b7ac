import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Effects } from './workflow.js'

/** One call of a step's body: which one, and the process that made it. */
export interface BodyRun {
  readonly pid: number
  readonly body: string
}

/** How fast bodies go. The real ones are over before anybody could see them. */
export interface Pace {
  /** How long a body takes on average, in ms. */
  readonly bodyMs: number
  /** After so many bodies every further one hangs, so that the kill finds the process in the middle of its work. */
  readonly hangAfter: number | undefined
}

const HANGS_MS = 600_000

/** The same effects, with each call written to a file that the engine knows nothing of, before anything happens. */
export function witnessed<Tx>(effects: Effects<Tx>, file: string, pace: Pace): Effects<Tx> {
  let calls = 0
  const note = (body: string): void => {
    calls++
    appendFileSync(file, `${JSON.stringify({ pid: process.pid, body } satisfies BodyRun)}\n`)
  }
  const slowly = async (body: string): Promise<void> => {
    note(body)
    // Not all alike, so that the parallel ones get out of step as real ones do.
    const bodyMs = pace.bodyMs * (0.5 + Math.random())
    await sleep(calls > (pace.hangAfter ?? Infinity) ? HANGS_MS : bodyMs)
  }
  return {
    listFiles: async (directory) => {
      await slowly('list_files')
      return effects.listFiles(directory)
    },
    sizeOf: async (directory, path) => {
      await slowly(`size ${path}`)
      return effects.sizeOf(directory, path)
    },
    sha256Of: async (directory, path) => {
      await slowly(`sha256 ${path}`)
      return effects.sha256Of(directory, path)
    },
    pack: async (request, files) => {
      await slowly('pack')
      return effects.pack(request, files)
    },
    // Not slowed: a transaction keeps others waiting for as long as it takes.
    record: (tx, runId, archive) => {
      note('record')
      return effects.record(tx, runId, archive)
    },
    notify: (tx, notification) => {
      note('notify')
      return effects.notify(tx, notification)
    },
  }
}

/** What was written to the file, in order. */
export function readBodyRuns(file: string): BodyRun[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as BodyRun)
}

/** The body that a recorded step has run; undefined for a sleep, which has none. */
export function bodyOf(step: string, paths: readonly string[]): string | undefined {
  if (step === 'cool_down') return undefined
  const [, index, name] = /^file\[(\d+)\]\/(.+)$/.exec(step) ?? []
  return index === undefined ? step : `${name} ${paths[Number(index)]}`
}

/** Every boundary of a run over these files, in the order of the code. */
export function stepsOf(paths: readonly string[]): string[] {
  const perFile = paths.flatMap((_, i) => [`file[${i}]/size`, `file[${i}]/sha256`])
  return ['list_files', ...perFile, 'pack', 'record', 'cool_down', 'notify']
}
