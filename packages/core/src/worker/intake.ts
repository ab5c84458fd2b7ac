import { Claimer, type ClaimerTold, type ClaimFrom, type Claimed, type Found } from '../queue/claimer.js'
import { Places } from '../queue/places.js'
import type { Engine } from '../store/engine.js'
import { Held } from './held.js'
import { putBack, type Holding } from './holding.js'
import { apart, PUT_OFF_MS } from './suspects.js'
import { WorkWaiter } from './work-waiter.js'

// More messages in one claim would cost each hardly less. A database with one writer is embedded, and blocks the process.
const MOST_AT_ONCE = 1000
const MOST_OF_ONE_WRITER = 500

/** What the intake needs to know of its worker. */
export interface IntakeSetup {
  readonly workerId: () => string
  /** Nothing begins any more. */
  readonly stopping: () => boolean
  /** Suspended workers take nothing, and give back what has not begun. */
  readonly suspended: () => boolean
  readonly onEnded: NonNullable<ClaimerTold['onEnded']>
}

/** Where a worker's work comes from: looks for it while there is room, begins what was found, and waits for more. */
export class Intake {
  private readonly claimer: Claimer
  private readonly waiter: WorkWaiter
  private readonly mostAtOnce: number
  private turn = 0
  private next: 'look' | 'wait for room' | 'wait for work' = 'look'
  private foundSome = false
  /** Work has come without a look. */
  private came = false

  constructor(
    private readonly engine: Engine,
    private readonly from: readonly ClaimFrom[],
    private readonly holding: Holding,
    private readonly setup: IntakeSetup,
  ) {
    this.mostAtOnce = engine.driver.capabilities.oneWriter ? MOST_OF_ONE_WRITER : MOST_AT_ONCE
    const told: ClaimerTold = {
      onEnded: setup.onEnded,
      onGranted: (claimed) => {
        this.supersede(claimed)
      },
    }
    this.claimer = new Claimer(engine, setup.workerId, told, new Places(engine.clock))
    this.waiter = new WorkWaiter(
      engine,
      from.map(({ queue }) => queue),
    )
  }

  /** There is room, or the worker is in another state. */
  roomFree(): void {
    this.waiter.roomFree()
  }

  /** Ends the present wait and every later one at once. */
  stop(): void {
    this.waiter.stop()
  }

  /** Waits after a failure, longer with each. */
  backOff(failures: number): Promise<void> {
    return this.waiter.backOff(failures)
  }

  /** Looks for work, unless it has come without a look, and begins what it finds. */
  async look(): Promise<void> {
    const { holding, came } = this
    this.came = false
    if (this.setup.suspended()) await holding.giveBackWaiting()
    else await holding.giveBackLate()
    const room = this.room()
    if (room <= 0) {
      this.next = 'wait for room'
      return
    }
    const found = came ? 0 : await this.claim(room)
    this.foundSome = found > 0
    this.next = found < room ? 'wait for work' : 'look'
  }

  /** Waits until it makes sense to look again. */
  async wait(): Promise<void> {
    if (this.next === 'wait for room') await this.waiter.forRoom(this.holding.patienceMs)
    if (this.next === 'wait for work') this.came = await this.forWork()
  }

  private room(): number {
    return this.mayBegin() ? Math.min(this.holding.room, this.mostAtOnce) : 0
  }

  private mayBegin(): boolean {
    return !this.setup.stopping() && !this.setup.suspended()
  }

  private async claim(room: number): Promise<number> {
    this.waiter.look()
    this.holding.measure()
    const sentAt = this.engine.clock.monotonic()
    const claimed = await this.claimer.claim(this.inTurn(), room)
    await this.take({ claimed, sentAt })
    return claimed.length
  }

  /**
   * Waits for work. Meanwhile a claim stands for the next enqueue in this process. Returns whether work has come that
   * way, and it is not time to look for more.
   */
  private async forWork(): Promise<boolean> {
    const room = this.room()
    if (room <= 0) return false
    const standing = this.claimer.stand(this.from, room, () => {
      if (!this.mayBegin()) return false
      this.holding.measure()
      return true
    })
    let found: Found | undefined
    try {
      await this.waiter.forWork(this.foundSome, standing.found, this.holding.patienceMs)
    } finally {
      if (!standing.withdraw()) found = await standing.found
      if (found !== undefined) await this.take(found)
    }
    return found !== undefined && !this.waiter.timeToLook
  }

  /**
   * What the worker holds already and has now been granted anew had lapsed: the database's clock was ahead of its own,
   * or its renewals did not get through. The older hold must not go on beside the new one.
   */
  private supersede(claimed: readonly Claimed[]): void {
    const again = new Set(claimed.filter(({ row }) => row.claims > 1).map(({ row }) => row.id))
    if (again.size === 0) return
    for (const held of this.holding.all) {
      if (again.has(held.claimed.row.id)) held.abort('lease_lost')
    }
  }

  private async take({ claimed, sentAt }: Found): Promise<void> {
    if (claimed.length === 0) return
    if (this.setup.stopping()) {
      // Nothing begins after a stop.
      await putBack(claimed)
      return
    }
    const held = this.holding.all.map((one) => one.claimed)
    const { begin, putOff } = apart(claimed, held, this.from)
    // Before anything begins that may end the process.
    if (putOff.length > 0)
      await Promise.allSettled(putOff.map((one) => one.lease.release({ delayMs: PUT_OFF_MS })))
    this.holding.add(begin.map((one) => new Held(one, this.leaseOf(one), sentAt, this.engine.clock)))
  }

  /** The queues, each first in its turn, so that a busy one cannot starve the others. */
  private inTurn(): ClaimFrom[] {
    const start = this.turn++ % this.from.length
    return [...this.from.slice(start), ...this.from.slice(0, start)]
  }

  private leaseOf({ row }: Claimed): number {
    return this.from.find(({ queue }) => queue === row.queue)?.leaseMs ?? this.engine.config.leaseMs
  }
}
