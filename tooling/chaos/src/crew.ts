import { renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryWriter } from '@pgqrs/checker'
import { spawnChild, type ChildExit, type ChildHandle } from '@pgqrs/test-database'
import { POISONED } from './load/poisoned.js'
import { keepOutput } from './outputs.js'
import { orderFile, type Order } from './processes/orders.js'
import type { Program, Programs } from './programs.js'
import type { CallerSetup } from './processes/planned-calls.js'
import type { ProcessSetup } from './processes/setup.js'

/** A place in the crew: a process that is started again whenever it ends, under a new name. */
export interface Place {
  readonly role: string
  /** Name of its present life. */
  readonly name: string
  readonly pid: number
  /** Sends a signal. What dies of it is started again. */
  signal(signal: NodeJS.Signals): void
  /** Has the process do something to itself. */
  order(order: Order): void
  /** Ends the process and starts it again with these settings over those it was made with; without: its own ones. */
  replace(settings?: Partial<ProcessSetup>): Promise<void>
}

const RESTART_AFTER_MS = 150
// A worker that stops has some calls to make, and each may wait for the database as long as it is allowed to.
const ENDS_WITHIN_MS = 40_000
const STARTS_WITHIN_MS = 60_000

interface Life {
  readonly name: string
  readonly child: ChildHandle
  /** Whether it has come as far as taking orders before its end. */
  readonly ready: Promise<boolean>
  /** Whether it has come as far as working. */
  readonly working: Promise<boolean>
  ended: ChildExit | undefined
}

/** A process and all of its lives. */
export class CrewPlace implements Place {
  private life: Life | undefined
  private lives = 0
  private settings: Partial<ProcessSetup> = {}
  /** Somebody has asked for the end of the present life. */
  private asked: string | undefined
  private dismissed = false
  /** There will be no other life. */
  private over = false
  private loop: Promise<void> = Promise.resolve()

  constructor(
    readonly role: string,
    private readonly programs: Programs,
    private readonly program: Program,
    private readonly setup: Omit<CallerSetup, 'name' | 'role'>,
    private readonly history: HistoryWriter,
  ) {}

  get name(): string {
    return this.life?.name ?? this.role
  }

  get pid(): number {
    return this.life?.child.pid ?? 0
  }

  /** Starts it, and again whenever it ends; a client that has made all of its calls ends for good. */
  async start(): Promise<void> {
    const begun = this.begin()
    this.loop = begun.then((life) => this.keep(life))
    await begun
  }

  /**
   * Resolves when a life of it has come as far as working, or there is no other to come.
   * @throws Error when none does in time
   */
  async working(): Promise<void> {
    const giveUpAt = performance.now() + 2 * STARTS_WITHIN_MS
    for (;;) {
      const { life } = this
      if (life === undefined || this.over) return
      if (life.ended === undefined && (await life.working)) return
      if (performance.now() > giveUpAt) throw new Error(`${this.name} does not get to work`)
      await sleep(20)
    }
  }

  /**
   * Resolves when a worker has made all of the planned calls that are left to it.
   * @throws Error when it does not in time
   */
  async called(): Promise<void> {
    for (;;) {
      await this.working()
      const { life } = this
      if (life === undefined || this.over) return
      try {
        await life.child.waitFor('called', STARTS_WITHIN_MS)
        return
      } catch (error) {
        // Another life of it begins.
        if (life.ended === undefined) throw error
      }
    }
  }

  private async keep(first: Life): Promise<void> {
    for (let life = first; ; life = await this.begin()) {
      const exit = await life.child.exited
      life.ended = exit
      this.note(life, exit)
      this.over = this.dismissed || (this.program === 'client' && exit.code === 0)
      if (this.over) return
      await sleep(RESTART_AFTER_MS)
      this.over = this.dismissed
      if (this.over) return
    }
  }

  private async begin(): Promise<Life> {
    const name = `${this.role}.${++this.lives}`
    this.asked = undefined
    const setup: CallerSetup = { ...this.setup, ...this.settings, name, role: this.role }
    const file = this.programs.file(this.program)
    const child = await spawnChild(file, [JSON.stringify(setup)], { plain: true })
    void this.listen(name, child)
    const says = (word: string): Promise<boolean> =>
      child.waitFor(word, STARTS_WITHIN_MS).then(
        () => true,
        () => false,
      )
    const ready = says('ready')
    this.life = { name, child, ready, working: ready.then(() => says('working')), ended: undefined }
    const mark = { kind: 'mark', what: 'process-started', target: name, detail: this.role } as const
    this.history.append({ ...mark, worker: this.program === 'worker' })
    return this.life
  }

  private async listen(name: string, child: ChildHandle): Promise<void> {
    for await (const line of child.lines) keepOutput(this.setup.folder, name, line)
  }

  private note(life: Life, { code, signal }: ChildExit): void {
    const how = signal ?? `exit ${code}`
    this.history.append({ kind: 'mark', what: 'process-ended', target: life.name, detail: how })
    const expected = this.asked !== undefined || signal === 'SIGKILL' || code === POISONED || code === 0
    if (!expected) {
      this.history.append({
        kind: 'system',
        what: 'uncaught',
        message: `${life.name} ended by itself: ${how}`,
      })
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM' || signal === 'SIGKILL') this.asked = signal
    if (this.life?.ended === undefined) this.life?.child.kill(signal)
  }

  order(order: Order): void {
    const { life } = this
    if (life === undefined) return
    const file = orderFile(this.setup.folder, life.name)
    // Whole or not at all: the process may just be reading the one before.
    writeFileSync(`${file}.part`, JSON.stringify(order))
    renameSync(`${file}.part`, file)
    // Who does not listen yet would die of the signal.
    void life.ready.then((ready) => {
      if (ready && life.ended === undefined) life.child.kill('SIGUSR2')
    })
  }

  async replace(settings: Partial<ProcessSetup> = {}): Promise<void> {
    this.settings = settings
    const life = this.life
    this.signal('SIGTERM')
    if (life !== undefined) await this.ended(life)
  }

  /** Waits for the end of a life, and makes one when it takes too long. */
  private async ended(life: Life): Promise<boolean> {
    const late = new AbortController()
    const inTime = await Promise.race([
      life.child.exited.then(() => true),
      sleep(ENDS_WITHIN_MS, false, { signal: late.signal }).catch(() => true),
    ])
    late.abort()
    if (!inTime) {
      this.history.append({
        kind: 'system',
        what: 'unsettled',
        op: `${life.name}: SIGTERM`,
        afterMs: ENDS_WITHIN_MS,
      })
      life.child.kill('SIGKILL')
      await life.child.exited
    }
    return inTime
  }

  /** Resolves when a client has made all of its calls, or the place was dismissed. */
  async done(): Promise<void> {
    await this.loop
  }

  /** Ends it for good. A process that has to be killed for that leaves something open. */
  async dismiss(): Promise<void> {
    this.dismissed = true
    this.signal('SIGCONT')
    this.signal('SIGTERM')
    if (this.life !== undefined) await this.ended(this.life)
    await this.loop
  }

  /** Kills it for good. */
  async abandon(): Promise<void> {
    this.dismissed = true
    this.signal('SIGKILL')
    await this.loop
  }
}
