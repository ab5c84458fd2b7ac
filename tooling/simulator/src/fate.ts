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
const known = new Map<string, boolean>()

/** Whether a call changes a message or a run; by the names of its statements. */
function isWrite(name: string): boolean {
  let is = known.get(name)
  if (is === undefined) known.set(name, (is = WRITES.test(name)))
  return is
}

/** Decides what becomes of each call: how long it takes, and which fault befalls it. */
export class Fates {
  private readonly faults = { write: new Map<number, Fault>(), call: new Map<number, Fault>() }
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
    for (const fault of [...faults].reverse()) this.faults[fault.on].set(fault.at, fault)
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
    if (!isWrite(name)) return () => undefined
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
    const write = isWrite(name) ? this.faults.write.get(this.writes++) : undefined
    const fault = this.isHealed ? undefined : (write ?? this.faults.call.get(call))
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
