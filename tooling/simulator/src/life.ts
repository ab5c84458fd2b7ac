import type { Cancel, Clock, Random } from '@pgqrs/core/driver'
import { seededRandom } from './chance.js'
import type { Look, Patience } from './patience.js'
import type { Timeline } from './timeline.js'

/** The time of the database at which every schedule begins. */
export const EPOCH_MS = Date.UTC(2030, 0, 1)

/** Stands for "the database's clock when the statement is executed"; the network puts the time in its place. */
export const DATABASE_TIME = -8_640_000_000_000_001

type TimerOptions = NonNullable<Parameters<Clock['after']>[2]>

/** An answer of the database. */
export interface Answer {
  /** Names of the statements. */
  readonly to: string
  /** How many changes of the database it takes in; undefined: it is a failure and says nothing of them. */
  readonly asOf: number | undefined
}

/** How a life sees the time. */
export interface LifeSetup {
  readonly name: string
  readonly seed: number
  /** How far this process's own clock is off, ms. */
  readonly skewMs: number
  /** `database`: the database's own clock counts. `host`: the process's clock, as of the sending. */
  readonly clock: 'database' | 'host'
  /** Holds back looks that would find nothing new; undefined: every timer fires at its time. */
  readonly patience?: Patience | undefined
}

/**
 * One life of one process: its clock, its randomness, and the power to end it. What reaches a dead process is dropped,
 * what reaches a frozen one waits until it thaws. All its code runs in between: it has no other source of events.
 */
export class Life {
  readonly name: string
  readonly clock: Clock
  readonly random: Random
  /** The grants this process knows of, by message. */
  readonly leases = new Map<string, string>()
  /** Which of its workers and consumers each grant was given to, where a sabotage wants to know. */
  readonly grantees = new Map<string, string>()
  private isAlive = true
  private frozen: (() => void)[] | undefined
  private thaws = 0
  /** Timers of the engine that have neither fired nor been cancelled. */
  timers = 0
  private readonly patience: Patience | undefined
  /** What this event has brought an answer to, and what that is based on. */
  private answer: Answer & { readonly event: number } = { event: -1, to: '', asOf: undefined }

  constructor(
    readonly timeline: Timeline,
    setup: LifeSetup,
  ) {
    this.patience = setup.patience
    this.name = setup.name
    const bootedAt = timeline.now
    this.clock = {
      databaseNow: () =>
        setup.clock === 'database' ? DATABASE_TIME : EPOCH_MS + timeline.now + setup.skewMs,
      wallNow: () => EPOCH_MS + timeline.now + setup.skewMs,
      monotonic: () => timeline.now - bootedAt,
      after: (ms, callback, options) => this.after(ms, callback, options),
      settle: () => timeline.settle(),
    }
    this.random = seededRandom(setup.seed, () => this.clock.wallNow())
  }

  get alive(): boolean {
    return this.isAlive
  }

  get isFrozen(): boolean {
    return this.frozen !== undefined
  }

  /** Ends the process: none of its code runs again. */
  kill(): void {
    this.isAlive = false
    this.frozen = undefined
  }

  /** Stops the process for so long (SIGSTOP, SIGCONT); a second call prolongs it. */
  freeze(ms: number): void {
    if (!this.isAlive) return
    this.frozen ??= []
    const mine = ++this.thaws
    this.timeline.after(ms, () => {
      if (mine === this.thaws) this.thaw()
    })
  }

  /** Lets a frozen process go on, with all that reached it meanwhile. */
  thaw(): void {
    const waiting = this.frozen ?? []
    this.frozen = undefined
    for (const run of waiting)
      this.timeline.after(0, () => {
        this.reach(run)
      })
  }

  /** Runs code of the process, unless it is dead; when it is frozen, later. */
  reach(run: () => void): void {
    if (!this.isAlive) return
    if (this.frozen !== undefined) this.frozen.push(run)
    else run()
  }

  /** The process gets an answer of the database. */
  hears(answer: Answer): void {
    this.answer = { ...answer, event: this.timeline.events }
  }

  /** Waits so long, as code of the application: not one of the engine's timers. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.timeline.after(ms, () => {
        this.reach(resolve)
      })
    })
  }

  private after(ms: number, callback: () => void, { slackMs }: TimerOptions = {}): Cancel {
    const timer = new Timer(this, callback)
    const { patience } = this
    if (patience === undefined || slackMs === undefined) {
      timer.cancelEvent = this.timeline.after(ms, timer.fire)
    } else {
      const known = this.known(patience)
      timer.cancelEvent = this.timeline.after(ms, () => {
        if (!this.isAlive) return
        timer.cancelEvent = patience.hold({ ...known, everyMs: ms, slackMs, run: timer.fire })
      })
    }
    return timer.cancel
  }

  /** What happened while an answer was on its way the process does not know. */
  private known(patience: Patience): Pick<Look, 'after' | 'asOf'> {
    const { event, to, asOf } = this.answer
    return event === this.timeline.events ? { after: to, asOf } : { after: '', asOf: patience.changes }
  }
}

/** A timer of the engine. */
class Timer {
  cancelEvent: Cancel | undefined
  private over = false

  constructor(
    private readonly life: Life,
    private readonly callback: () => void,
  ) {
    life.timers++
  }

  readonly fire = (): void => {
    this.life.reach(this.run)
  }

  readonly cancel = (): void => {
    if (this.over) return
    this.end()
    this.cancelEvent?.()
  }

  private readonly run = (): void => {
    if (this.over) return
    this.end()
    this.callback()
  }

  private end(): void {
    this.over = true
    this.life.timers--
  }
}
