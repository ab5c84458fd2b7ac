import type { HistoryEvent, ReportSum } from '@pgqrs/checker'
import { Arena } from './arena.js'
import { Model } from './asked.js'
import { seededRandom } from './chance.js'
import { checked, wholeHistory } from './checked.js'
import { EPOCH_MS } from './life.js'
import { Performer } from './performer.js'
import { remainsOf } from './remains.js'
import type { Requests } from './requests.js'
import { sabotages, type SabotageName } from './sabotage.js'
import type { Schedule } from './schedule.js'
import { judge, Watch } from './verdict.js'
import { World } from './world.js'

// All faults are over by then, and every lease, retry and sleep of the load with them.
const QUIET_WITHIN_MS = 120_000
const CLOSES_WITHIN_MS = 60_000
// SQLite's own check of a database in memory takes as long as a tenth of a schedule.
const INTEGRITY_EVERY = 8

/** What came of one schedule. */
export interface Outcome {
  /** What must not have happened and has; empty when all is well. */
  readonly violations: readonly string[]
  readonly history: readonly HistoryEvent[]
  readonly calls: number
  /** Faults that befell a call. */
  readonly faults: number
  readonly events: number
  readonly virtualMs: number
  /** One line for each thing that happened, when it was wanted. */
  readonly trace: readonly string[]
}

/** How to run a schedule. */
export interface SimulateOptions {
  readonly sabotage?: SabotageName
  readonly trace?: boolean
  /** Gets what the checker's invariants looked at. */
  readonly sum?: ReportSum
}

/** Runs schedules, one after the other, over one database in memory. */
export class Simulator {
  private constructor(private readonly arena: Arena) {}

  static async open(): Promise<Simulator> {
    return new Simulator(await Arena.open())
  }

  close(): void {
    this.arena.close()
  }

  /** Runs one schedule to its end: the same schedule gives the same outcome, event by event. */
  async run(schedule: Schedule, options: SimulateOptions = {}): Promise<Outcome> {
    const sabotage = options.sabotage === undefined ? undefined : sabotages[options.sabotage]
    const world = new World(this.arena, schedule, sabotage, { trace: options.trace === true })
    const uncaught: string[] = []
    const listen = (error: unknown): void =>
      void uncaught.push(`nothing is thrown outside a promise: ${String(error)}`)
    process.on('unhandledRejection', listen)
    try {
      return await new Course(world, schedule, options.sum).run(uncaught)
    } finally {
      process.off('unhandledRejection', listen)
    }
  }
}

/** One schedule on its way from the first process to the verdict. */
class Course {
  private readonly model = new Model()
  private readonly watch = new Watch(this.model)
  private readonly requests: Requests
  private readonly performer: Performer

  constructor(
    private readonly world: World,
    private readonly schedule: Schedule,
    private readonly sum: ReportSum | undefined,
  ) {
    world.recorder.onTransition = (transition) => {
      this.watch.see(transition)
      world.patience.changed(transition)
    }
    world.onUnheard = (id) => {
      // For good: its callers were told of the repetition, which may have yielded to the holder of its key.
      const asked = this.model.asked.get(id)
      if (asked !== undefined) asked.inDoubt++
    }
    this.requests = world.requests
    const ids = seededRandom(schedule.profile.seed ^ 0x5eed, () => EPOCH_MS + world.timeline.now)
    this.performer = new Performer(world, this.model, this.requests, () => ids.id())
  }

  async run(uncaught: string[]): Promise<Outcome> {
    const { world } = this
    const { timeline } = world
    await world.start()
    for (const { waitMs, process, action } of this.schedule.commands) {
      await timeline.run(timeline.now + waitMs)
      this.performer.perform(this.living(process), action)
    }
    await timeline.run(timeline.now + 400)
    world.heal()
    const quiet = await this.untilQuiet()
    const stuck = quiet ? [] : [`everything ends: ${this.unfinished()} messages have not`]
    const closed = await world.close(CLOSES_WITHIN_MS)
    await timeline.drain()
    const timers = world.processes.reduce((sum, { life }) => sum + (life.alive ? life.timers : 0), 0)
    const remains = remainsOf(world.arena)
    const history = wholeHistory(world.recorder, this.schedule, remains, {
      timers,
      uncaught,
      openTransactions: world.arena.db.inTransaction ? 1 : 0,
      problems: this.schedule.profile.seed % INTEGRITY_EVERY === 0 ? world.arena.problems() : undefined,
    })
    const violations = [
      ...this.watch.violations,
      ...stuck,
      ...(closed ? [] : ['closing ends']),
      ...this.leftOpen(),
      ...judge(this.model, world.recorder.history, remains),
      ...checked(history, this.schedule, this.sum),
      ...uncaught,
    ]
    return {
      violations,
      history,
      calls: world.fates.count,
      faults: world.fates.faultCount,
      events: timeline.events,
      virtualMs: timeline.now,
      trace: world.trace ?? [],
    }
  }

  private living(index: number): World['processes'][number] {
    const { processes } = this.world
    const first = processes[index % processes.length]
    const process = first?.life.alive === true ? first : processes.find(({ life }) => life.alive)
    return process ?? (processes[0] as World['processes'][number])
  }

  /** Sees to it that everything can end, and waits until it has. */
  private async untilQuiet(): Promise<boolean> {
    const { timeline } = this.world
    const giveUpAt = timeline.now + QUIET_WITHIN_MS
    // The processes that died last begin again.
    await timeline.run(timeline.now + 300)
    for (let round = 0; timeline.now < giveUpAt; round++) {
      // Again now and then: a trigger may still be on its way.
      if (round % 8 === 0) this.resumeAll()
      const thawed =
        this.world.fates.writesUnderway === 0 && this.world.processes.every(({ life }) => !life.isFrozen)
      if (thawed && this.unfinished() === 0 && this.requests.open.size === this.deadCalls()) return true
      if (this.dueParcels() > 0) {
        const { life, store } = this.living(0)
        this.performer.byHand.claim(life, store, { do: 'by-hand', ending: 'archive', holdMs: 0 })
      }
      await timeline.run(timeline.now + 250)
    }
    return false
  }

  private resumeAll(): void {
    const { life, store } = this.living(0)
    for (const asked of this.model.all) {
      if (asked.queue === 'flow') this.performer.resume(life, store, asked)
    }
  }

  private deadCalls(): number {
    return [...this.requests.open.values()].filter(({ life }) => !life.alive).length
  }

  /** Every promise of a living process settles, and a closed store leaves no timer. */
  private leftOpen(): string[] {
    const calls = [...this.requests.open.values()].filter(({ life }) => life.alive)
    const timers = this.world.processes.filter(({ life }) => life.alive && life.timers > 0)
    return [
      ...calls.map(({ op, what }) => `every promise settles: ${op} (${what}) has not`),
      ...timers.map(({ life }) => `a closed store leaves no timer: ${life.name} has ${life.timers}`),
    ]
  }

  private unfinished(): number {
    const { n } = this.world.arena
      .prepare('select count(*) as n from pgqrs_messages where finished_at is null')
      .get() as { n: number }
    return n
  }

  /** Parcels that somebody may claim now. */
  private dueParcels(): number {
    const { arena } = this.world
    if (!this.model.all.some(({ queue }) => queue === 'parcels')) return 0
    const { n } = arena
      .prepare(
        "select count(*) as n from pgqrs_messages where queue = 'parcels' and finished_at is null and vt <= ?",
      )
      .get(this.world.databaseNow()) as { n: number }
    return n
  }
}
