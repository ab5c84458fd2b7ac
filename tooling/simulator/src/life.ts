import type { Cancel, Clock, Random } from '@pgqrs/core/driver'
import { seededRandom } from './chance.js'
import type { Timeline } from './timeline.js'

/** The time of the database at which every schedule begins. */
export const EPOCH_MS = Date.UTC(2030, 0, 1)

/** Stands for "the database's clock when the statement is executed"; the network puts the time in its place. */
export const DATABASE_TIME = -8_640_000_000_000_001

/** How a life sees the time. */
export interface LifeSetup {
  readonly name: string
  readonly seed: number
  /** How far this process's own clock is off, ms. */
  readonly skewMs: number
  /** `database`: the database's own clock counts. `host`: the process's clock, as of the sending. */
  readonly clock: 'database' | 'host'
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
  private isAlive = true
  private frozen: (() => void)[] | undefined
  private thaws = 0
  private ticking = 0

  constructor(
    readonly timeline: Timeline,
    setup: LifeSetup,
  ) {
    this.name = setup.name
    const bootedAt = timeline.now
    this.clock = {
      databaseNow: () =>
        setup.clock === 'database' ? DATABASE_TIME : EPOCH_MS + timeline.now + setup.skewMs,
      wallNow: () => EPOCH_MS + timeline.now + setup.skewMs,
      monotonic: () => timeline.now - bootedAt,
      after: (ms, callback) => this.after(ms, callback),
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

  /** Timers of the engine that have neither fired nor been cancelled. */
  get timers(): number {
    return this.ticking
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

  /** Waits so long, as code of the application: not one of the engine's timers. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.timeline.after(ms, () => {
        this.reach(resolve)
      })
    })
  }

  private after(ms: number, callback: () => void): Cancel {
    let over = false
    this.ticking++
    const cancel = this.timeline.after(ms, () => {
      this.reach(() => {
        if (over) return
        over = true
        this.ticking--
        callback()
      })
    })
    return () => {
      if (over) return
      over = true
      this.ticking--
      cancel()
    }
  }
}
