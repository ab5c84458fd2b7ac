import type { Cancel } from '@pgqrs/core/driver'
import { Turns } from './turns.js'

interface Event {
  readonly at: number
  /** Decides between events of the same time: drawn by chance, so that their order is not that of their making. */
  readonly tie: number
  readonly run: () => void
  cancelled: boolean
}

/**
 * Virtual time: a queue of events, each run at its time and followed by everything it sets off that needs no time.
 * Nothing else moves the clock, so the same events give the same run.
 */
export class Timeline {
  private readonly heap: Event[] = []
  private readonly settling: (() => void)[] = []
  private readonly turns = new Turns()
  private nowMs = 0
  private fired = 0

  /** @param tie a number in [0, 1) for each event. */
  constructor(private readonly tie: () => number) {}

  /** Virtual ms since the beginning. */
  get now(): number {
    return this.nowMs
  }

  /** Events run so far. */
  get events(): number {
    return this.fired
  }

  /** Runs `run` after so many ms. */
  after(ms: number, run: () => void): Cancel {
    const event: Event = {
      at: this.nowMs + Math.max(0, Math.ceil(ms)),
      tie: this.tie(),
      run,
      cancelled: false,
    }
    this.push(event)
    return () => {
      event.cancelled = true
    }
  }

  /** Resolves after everything that is able to run has run. */
  settle(): Promise<void> {
    return new Promise((resolve) => this.settling.push(resolve))
  }

  /** Lets everything run that needs no time. */
  drain(): Promise<void> {
    return this.turns.run(() => !this.settleMore())
  }

  /** Runs events until `over` says so, time `until` has come, or none is left. */
  run(until: number, over: () => boolean = () => false): Promise<void> {
    return this.turns.run(() => !this.settleMore() && (over() || !this.runNext(until)))
  }

  /** Tells those who wait until everything has run; false when nobody does. */
  private settleMore(): boolean {
    if (this.settling.length === 0) return false
    for (const resolve of this.settling.splice(0)) resolve()
    return true
  }

  /** Runs the next event; false when there is none until then. */
  private runNext(until: number): boolean {
    for (;;) {
      const next = this.heap[0]
      if (next === undefined || next.at > until) {
        if (Number.isFinite(until)) this.nowMs = Math.max(this.nowMs, until)
        return false
      }
      this.pop()
      if (next.cancelled) continue
      this.nowMs = next.at
      this.fired++
      next.run()
      return true
    }
  }

  private push(event: Event): void {
    const { heap } = this
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Event
      if (!before(event, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = last
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie)
}
