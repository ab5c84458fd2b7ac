import { relative } from 'node:path'
import type { Store } from '@pgqrs/core'
import type { DemoOptions } from './options.js'
import type { Check } from './proof.js'
import type { Screen } from './screen.js'
import type { Told } from './worker.js'
import type { Names } from './workflow.js'

/** The worker process that is killed, or the one that takes over. */
export type Which = 'first' | 'second'

/** What the title says. */
export interface Title {
  readonly options: DemoOptions
  readonly store: Pick<Store, 'driver' | 'target'>
  readonly names: Names
  readonly bodyMs: number
}

// With more files, several share a line.
const MOST_LINES = 40
// Replayed steps arrive in one burst.
const BURST_MS = 60
const STEP_WIDTH = 'list_files'.length

const about: Readonly<Record<string, string>> = {
  pack: 'the archive, written whole or not at all',
  record: 'the row in demo_archives and the checkpoint in one commit',
  notify: 'the message and the checkpoint in one commit',
}

/** Tells the story as it happens. */
export class Show {
  private readonly beganAt = performance.now()
  private readonly pids = { first: 0, second: 0 }
  private readonly running = new Set<string>()
  private lost: ReadonlySet<string> = new Set()
  /** Steps of a file, and files, that do not stand on a line yet. */
  private readonly ofFile = new Map<number, string[]>()
  private filesDone: number[] = []
  private hasSuccessor = false
  private isAsleep = false
  private replayed = 0
  private burst: NodeJS.Timeout | undefined

  constructor(
    private readonly screen: Screen,
    private readonly paths: readonly string[],
  ) {}

  /** What is going to happen, and where. */
  title({ options, store, names, bodyMs }: Title): void {
    const { screen, c } = this
    const short = relative(process.cwd(), options.directory)
    const directory = short === '' || short.startsWith('..') ? options.directory : `${short}/`
    const rows = {
      directory: `${directory}, ${counted(this.paths.length, 'file')}`,
      database:
        options.dsn === undefined
          ? 'SQLite, embedded, in a temporary folder'
          : `${store.driver}, ${store.target}`,
      workflow: `${names.workflow}, lease 2 s`,
      steps: 'list_files → size and sha256 of each file → pack → record → sleep 3 s → notify',
      pace: `each body is slowed to about ${Math.round(bodyMs)} ms, so that there is something to see and to kill`,
    }
    screen.line()
    screen.line(`  ${c.bold('pgqrs')}  one run, two processes, one SIGKILL`)
    screen.line()
    for (const [name, text] of Object.entries(rows)) screen.line(`  ${c.dim(name.padEnd(10))} ${text}`)
    screen.line()
  }

  /** A line of the demo's own. */
  demo(text: string): void {
    this.screen.line(`${this.time()}  ${'demo'.padEnd(12)}  ${text}`)
  }

  /** A worker process was started. */
  started(which: Which, pid: number): void {
    this.pids[which] = pid
    this.say(which, 'process started')
    this.screen.live(() => `worker ${pid} is starting`)
  }

  /** Something a worker has told. */
  told(which: Which, told: Told): void {
    switch (told.type) {
      case 'claimed':
        this.screen.live(undefined)
        this.claimed(which)
        return
      case 'step_started':
        this.running.add(told.step)
        this.showRunning(which)
        return
      case 'step_replayed':
        this.replayed++
        clearTimeout(this.burst)
        this.burst = setTimeout(() => {
          this.tellReplayed(which)
        }, BURST_MS)
        return
      case 'step_recorded':
        this.tellReplayed(which)
        this.running.delete(told.step)
        this.showRunning(which)
        this.recorded(which, told.step)
        return
      case 'step_failed':
        this.running.delete(told.step)
        this.say(which, this.c.red(`✗ ${told.step} has failed`))
        return
      case 'released':
        this.tellReplayed(which)
        this.isAsleep = told.reason === 'pause'
        if (this.isAsleep) this.asleep(told.inMs)
        return
      case 'archived':
        this.tellReplayed(which)
        this.screen.live(undefined)
        this.say(which, this.c.bold('finished the run'))
        return
      case 'trouble':
      case 'dead':
        this.say(which, this.c.red(told.error))
        return
      case 'cancelled':
      case 'deleted':
      case 'lease_lost':
        this.say(which, told.type.replace('_', ' '))
        return
      // A demo that must poll is only slower.
      case 'hints':
    }
  }

  /** The first process was killed when so many steps were recorded; its lease holds until then. */
  killed(recorded: number, lease: Date): void {
    this.tellFiles('first')
    for (const [file, steps] of this.ofFile) this.fileLine('first', file, steps)
    this.ofFile.clear()
    this.lost = new Set(this.running)
    this.running.clear()
    this.screen.live(undefined)
    this.screen.line()
    this.demo(this.c.bold(this.c.red(`✗ kill -9 ${this.pids.first}`)))
    this.demo(`${counted(recorded, 'step')} recorded, ${this.lost.size} running:`)
    this.demo(this.c.yellow([...this.lost].join(', ')))
    this.demo(`nobody can claim the run before the lease of ${this.pids.first} lapses, in ${left(lease)}`)
    this.screen.line()
  }

  /** Counts down to the end of the dead process's lease. */
  waiting(lease: Date): void {
    this.screen.live(() => `the lease of ${this.pids.first} lapses in ${left(lease)}`)
  }

  /** The table of checks, and the verdict. */
  proof(checks: readonly Check[]): void {
    const { screen, c } = this
    const took = seconds(performance.now() - this.beganAt)
    const width = Math.max(...checks.map((check) => check.what.length))
    screen.live(undefined)
    screen.line()
    screen.line(
      `  ${c.bold('Proof')}  ${c.dim('every body wrote its name and process to a file the engine knows nothing of')}`,
    )
    screen.line()
    for (const { what, found, wrong } of checks) {
      if (wrong.length === 0) screen.line(`  ${c.green('✓')} ${what.padEnd(width)}  ${c.dim(found)}`)
      else screen.line(`  ${c.red('✗')} ${what.padEnd(width)}  ${c.red(few(wrong))}`)
    }
    const failed = checks.filter(({ wrong }) => wrong.length > 0).length
    screen.line()
    if (failed === 0) screen.line(`  ${c.green(c.bold(`All ${checks.length} checks hold`))}, after ${took}.`)
    else
      screen.line(
        `  ${c.red(c.bold(`${failed} of ${checks.length} checks ${failed === 1 ? 'fails' : 'fail'}`))}, after ${took}.`,
      )
    screen.line()
  }

  private claimed(which: Which): void {
    const tookOver = which === 'second' && !this.hasSuccessor
    this.hasSuccessor = which === 'second'
    const why = tookOver
      ? `took over: the lease of ${this.pids.first} has lapsed, `
      : this.isAsleep
        ? 'the sleep is over: '
        : ''
    this.say(which, tookOver ? this.c.bold(`${why}claimed the run`) : `${why}claimed the run`)
  }

  private recorded(which: Which, step: string): void {
    const [, index, name] = /^file\[(\d+)\]\/(.+)$/.exec(step) ?? []
    if (index !== undefined && name !== undefined) {
      this.recordedOfFile(which, Number(index), name)
      return
    }
    this.tellFiles(which)
    const text = step === 'list_files' ? counted(this.paths.length, 'file') : about[step]
    if (text === undefined) {
      this.say(
        which,
        `◦ ${step.padEnd(STEP_WIDTH)}  ${this.c.dim('3 s in the database, held by no process')}`,
      )
    } else this.step(which, step, text)
  }

  private recordedOfFile(which: Which, file: number, name: string): void {
    const steps = [...(this.ofFile.get(file) ?? []), name]
    this.ofFile.set(file, steps)
    if (name !== 'sha256') return
    this.ofFile.delete(file)
    if (this.paths.length <= MOST_LINES || steps.some((each) => this.isAgain(file, each))) {
      this.fileLine(which, file, steps)
      return
    }
    this.filesDone.push(file)
    if (this.filesDone.length * MOST_LINES >= this.paths.length) this.tellFiles(which)
  }

  private fileLine(which: Which, file: number, steps: readonly string[]): void {
    const again = steps.some((step) => this.isAgain(file, step))
    const told = steps.map((step) => (this.isAgain(file, step) ? `${step} again` : step)).join(', ')
    const text = told.padEnd('size again, sha256'.length)
    const mark = again ? this.c.yellow('↻') : undefined
    this.step(
      which,
      `file[${file}]`,
      `${again ? this.c.yellow(text) : text}  ${this.paths[file] ?? ''}`,
      mark,
    )
  }

  private tellFiles(which: Which): void {
    const [first, ...others] = this.filesDone.splice(0)
    if (first === undefined) return
    this.step(which, `file[${first}]`, `and ${counted(others.length, 'other file')}: size, sha256`)
  }

  private isAgain(file: number, step: string): boolean {
    return this.lost.has(`file[${file}]/${step}`)
  }

  private step(which: Which, name: string, text: string, mark = this.c.green('✓')): void {
    this.say(which, `${mark} ${name.padEnd(STEP_WIDTH)}  ${this.c.dim(text)}`)
  }

  private tellReplayed(which: Which): void {
    clearTimeout(this.burst)
    if (this.replayed === 0) return
    this.say(
      which,
      this.c.dim(`… replayed ${counted(this.replayed, 'step')}: answered from their records, no body ran`),
    )
    this.replayed = 0
  }

  private showRunning(which: Which): void {
    const steps = [...this.running].join(', ')
    this.screen.live(steps === '' ? undefined : () => `worker ${this.pids[which]} runs ${steps}`)
  }

  private asleep(inMs: number): void {
    const until = performance.now() + inMs
    this.screen.live(() => `the run sleeps for ${seconds(until - performance.now())}, held by no process`)
  }

  private say(which: Which, text: string): void {
    const color = which === 'first' ? this.c.cyan : this.c.magenta
    this.screen.line(`${this.time()}  ${color(`worker ${this.pids[which]}`.padEnd(12))}  ${text}`)
  }

  private time(): string {
    return this.c.dim(seconds(performance.now() - this.beganAt).padStart(8))
  }

  private get c(): Screen['colors'] {
    return this.screen.colors
  }
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
}

function left(until: Date): string {
  return seconds(until.getTime() - Date.now())
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}

function few(texts: readonly string[]): string {
  const more = texts.length > 3 ? `; and ${texts.length - 3} more` : ''
  return `${texts.slice(0, 3).join('; ')}${more}`
}
