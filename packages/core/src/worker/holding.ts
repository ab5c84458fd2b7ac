import { delay, type Clock } from '../clock.js'
import type { Claimed } from '../queue/claimer.js'
import type { Held } from './held.js'

// As much as is begun in this time is claimed ahead, so that handlers need not wait for the database in between.
const AHEAD_MS = 20
// What has waited this long for a slot goes back: handlers have become slower, and another worker may have time.
const LONGEST_WAIT_MS = 200
// Messages that are held beyond those whose handlers run: that wait for a slot, or whose end is being written.
const MOST_BEYOND = 2000

/** What the worker does with what it holds. */
export interface Handling {
  /** Whether anything may begin now. */
  mayBegin(): boolean
  /** Runs the handler, calls `handled` once it is over, and resolves when the end of the lease is written. Never rejects. */
  begin(held: Held, handled: () => void): Promise<void>
  /** A slot is free and nothing waits for it, or there is less to hold. */
  onRoom(): void
}

/**
 * Gives back what was claimed and never begun, to the place in the queue it had. What cannot be written now comes back
 * when its lease lapses.
 */
export async function putBack(claimed: readonly Claimed[]): Promise<void> {
  await Promise.allSettled(claimed.map(({ row, lease }) => lease.release({ atMs: row.due_at })))
}

/**
 * Everything a worker holds: messages whose handlers run, one to a slot; those whose end is being written, which need
 * no slot; and a few that were claimed ahead. How many those are depends on the pace of the handlers at this moment:
 * none where a handler takes longer than a moment, hundreds where it takes no time.
 */
export class Holding {
  private readonly begun = new Map<Held, Promise<void>>()
  private waiting: Held[] = []
  private running = 0
  private waitingSince = 0
  private handled = 0
  private measuredAt: number
  /** Handlers that ended per ms. */
  private pace = 0

  constructor(
    private readonly slots: number,
    private readonly clock: Clock,
    private readonly handling: Handling,
  ) {
    this.measuredAt = clock.monotonic()
  }

  /** Everything that is held. */
  get all(): Held[] {
    return [...this.begun.keys(), ...this.waiting]
  }

  /** How many messages are held. */
  get size(): number {
    return this.begun.size + this.waiting.length
  }

  /** How many more should be claimed now. */
  get room(): number {
    const free = this.slots - this.running - this.waiting.length
    const ahead = Math.min(Math.floor(this.pace * AHEAD_MS), MOST_BEYOND)
    // Claims are cheaper in bulk. The next one is under way while what the last one brought is begun.
    if (free <= 0 && this.waiting.length > ahead) return 0
    return Math.min(Math.max(free, 0) + ahead, this.slots + MOST_BEYOND - this.size)
  }

  /** How long to wait for room before {@link giveBackLate} is due, in ms; undefined when nothing waits. */
  get patienceMs(): number | undefined {
    return this.waiting.length === 0 ? undefined : LONGEST_WAIT_MS
  }

  /** Takes the pace of the handlers anew: before a claim. */
  measure(): void {
    const now = this.clock.monotonic()
    const elapsed = now - this.measuredAt
    if (elapsed < 1) return
    this.pace = this.handled / elapsed
    this.handled = 0
    this.measuredAt = now
  }

  /** Begins what there are slots for, and keeps the rest for the next free ones. */
  add(held: readonly Held[]): void {
    this.waiting.push(...held)
    this.waitingSince = this.clock.monotonic()
    this.beginMore()
  }

  private beginMore(): void {
    while (this.running < this.slots && this.waiting.length > 0 && this.handling.mayBegin()) {
      const held = this.waiting.shift() as Held
      this.waitingSince = this.clock.monotonic()
      this.begin(held)
    }
  }

  private begin(held: Held): void {
    let over = false
    const handled = (): void => {
      if (over) return
      over = true
      this.running--
      this.handled++
      this.beginMore()
      this.handling.onRoom()
    }
    this.running++
    const written = this.handling.begin(held, handled).finally(() => {
      this.begun.delete(held)
      // Where ends are written more slowly than handlers end, it is this that makes room.
      if (over) this.handling.onRoom()
      else handled()
    })
    this.begun.set(held, written)
  }

  /** Gives back what has waited for too long. */
  async giveBackLate(): Promise<void> {
    if (this.clock.monotonic() - this.waitingSince >= LONGEST_WAIT_MS) await this.giveBackWaiting()
  }

  /** Gives back all that waits for a slot. */
  async giveBackWaiting(): Promise<void> {
    await putBack(this.waiting.splice(0).map(({ claimed }) => claimed))
  }

  /** Gives back everything, also what runs. */
  async giveBackAll(): Promise<void> {
    await this.giveBackWaiting()
    await Promise.allSettled([...this.begun.keys()].map(({ claimed }) => claimed.lease.release({})))
  }

  /** Waits until the end of everything that was begun is written, at most so long. */
  async drain(ms: number): Promise<void> {
    if (this.begun.size === 0) return
    const limit = new AbortController()
    await Promise.race([
      Promise.allSettled(this.begun.values()),
      delay(this.clock, ms, { signal: limit.signal }).catch(() => undefined),
    ])
    limit.abort()
  }
}
