import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Facts, HistoryEvent } from './history.js'

/** An event without its `process`, `mono` and `wall`, which the writer adds unless they are given. */
export type Unseen<E = HistoryEvent> = E extends HistoryEvent
  ? Omit<E, 'process' | 'mono' | 'wall'> & Partial<Pick<E, 'process' | 'mono' | 'wall'>>
  : never

/** The clocks of a process. The default reads CLOCK_MONOTONIC and the wall clock, both in ms. */
export interface HistoryClock {
  mono(): number
  wall(): number
}

const hostClock: HistoryClock = {
  mono: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  wall: () => Date.now(),
}

/**
 * Appends events to a file, each with one write to the file system before it returns: what was appended survives
 * SIGKILL (not a loss of power). Give each life of a process its own name; a file may be appended to again.
 */
export class HistoryWriter {
  private readonly file: number

  constructor(
    path: string,
    readonly process: string,
    private readonly clock: HistoryClock = hostClock,
  ) {
    this.file = openSync(path, 'a+')
    if (endsTorn(this.file)) writeSync(this.file, '\n')
    this.append({ kind: 'opened' })
  }

  /** Writes one event. */
  append(event: Unseen): void {
    const seen = { process: this.process, mono: this.clock.mono(), wall: this.clock.wall() }
    writeSync(this.file, `${JSON.stringify({ ...seen, ...event })}\n`)
  }

  close(): void {
    closeSync(this.file)
  }
}

function endsTorn(file: number): boolean {
  const { size } = fstatSync(file)
  if (size === 0) return false
  const last = Buffer.alloc(1)
  readSync(file, last, 0, 1, size - 1)
  return last.toString() !== '\n'
}

/** The events of a run in the order of `mono`. */
export interface History {
  readonly facts: Facts
  readonly events: readonly HistoryEvent[]
  /** Lines that a killed process left half written. */
  readonly torn: number
}

/**
 * Reads files, or every `*.jsonl` file of a folder, as one history.
 * A half line is accepted where a killed process leaves one: at the end of a file or before an `opened` event.
 * @throws Error when a line elsewhere is no JSON, or when there is not exactly one `facts` event
 */
export function readHistory(paths: string | readonly string[]): History {
  const all = (typeof paths === 'string' ? [paths] : paths).flatMap(files)
  let torn = 0
  const events: HistoryEvent[] = []
  for (const path of all) {
    const read = parseLines(readFileSync(path, 'utf8'), path)
    torn += read.torn
    for (const event of read.events) events.push(event)
  }
  return historyOf(events, torn)
}

/** A history of events that were kept in memory. @throws Error when there is not exactly one `facts` event */
export function historyOf(events: readonly HistoryEvent[], torn = 0): History {
  const facts = events.filter((event): event is Facts => event.kind === 'facts')
  const [first] = facts
  if (first === undefined || facts.length > 1) {
    throw new Error(`A history has exactly one facts event; this one has ${facts.length}.`)
  }
  return { facts: first, events: [...events].sort((a, b) => a.mono - b.mono), torn }
}

function files(path: string): string[] {
  if (!existsSync(path)) throw new Error(`There is no history at ${path}.`)
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(path, name))
}

function parseLines(text: string, path: string): { events: HistoryEvent[]; torn: number } {
  const lines = text.split('\n')
  const events: HistoryEvent[] = []
  let torn = 0
  let tornAt = 0
  lines.forEach((line, index) => {
    if (line === '') return
    const event = parseLine(line)
    if (event === undefined) {
      if (tornAt > 0) throw unreadable(path, tornAt)
      tornAt = index + 1
      torn++
      return
    }
    if (tornAt > 0 && event.kind !== 'opened') throw unreadable(path, tornAt)
    tornAt = 0
    events.push(event)
  })
  // A whole line that is no JSON was not left by a kill.
  if (tornAt > 0 && text.endsWith('\n')) throw unreadable(path, tornAt)
  return { events, torn }
}

function parseLine(line: string): HistoryEvent | undefined {
  try {
    return JSON.parse(line) as HistoryEvent
  } catch {
    return undefined
  }
}

function unreadable(path: string, line: number): Error {
  return new Error(`Line ${line} of ${path} is no JSON.`)
}
