import type { Fault, Profile } from './schedule.js'

/** What becomes of one call to the database. */
export interface Fate {
  /** Which call of the schedule it is. */
  readonly call: number
  /** Virtual ms from sending to execution, and from there to the answer. */
  readonly toDatabase: number
  readonly back: number
  readonly fault: Fault | undefined
}

const WRITES = /record|finish|release|extend|delete|enqueue|cancel|wake|replay|signal|forget|transaction/

/** Decides what becomes of each call: how long it takes, and which fault befalls it. */
export class Fates {
  private readonly faults: Map<string, Fault>
  private calls = 0
  private writes = 0
  private befell = 0
  private onTheirWay = 0
  private isHealed = false

  constructor(
    private readonly profile: Profile,
    faults: readonly Fault[],
    private readonly next: () => number,
  ) {
    // The first of several counts.
    this.faults = new Map([...faults].reverse().map((fault) => [`${fault.on} ${fault.at}`, fault]))
  }

  /** Calls made so far. */
  get count(): number {
    return this.calls
  }

  get healed(): boolean {
    return this.isHealed
  }

  /** Writes that were sent and have not reached the database: their senders may be dead by now. */
  get writesUnderway(): number {
    return this.onTheirWay
  }

  /** A call is on its way to the database; the answer is called when it gets there, or never will. */
  underway(name: string): () => void {
    if (!WRITES.test(name)) return () => undefined
    this.onTheirWay++
    return () => {
      this.onTheirWay--
    }
  }

  /** Faults that have befallen calls so far. */
  get faultCount(): number {
    return this.befell
  }

  /** No more faults; the network goes on to be slow. */
  heal(): void {
    this.isHealed = true
  }

  /** @param name what the call is for: names of its statements. */
  draw(name: string): Fate {
    const call = this.calls++
    const write = WRITES.test(name) ? this.faults.get(`write ${this.writes++}`) : undefined
    const fault = this.isHealed ? undefined : (write ?? this.faults.get(`call ${call}`))
    if (fault !== undefined) this.befell++
    return { call, toDatabase: this.latency(), back: this.latency(), fault }
  }

  /** A latency of this schedule's network, ms. */
  latency(): number {
    const most = [1, 8, 60][this.profile.latency] ?? 1
    const stalled = this.profile.latency === 2 && !this.isHealed && this.next() < 0.01
    return Math.floor(this.next() * (stalled ? 2500 : most + 1))
  }
}
