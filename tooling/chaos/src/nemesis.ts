import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryWriter } from '@pgqrs/checker'
import { Dice } from './dice.js'
import type { Fault, Field } from './faults/fault.js'
import { mono } from './processes/setup.js'

/** A fault and when it strikes, ms after the load began. */
export interface PlannedFault {
  readonly atMs: number
  readonly fault: Fault
  /** What it throws its dice with. */
  readonly seed: number
}

/** Draws faults for as long as the load lasts: one after the other on the processes, and so on the database. */
export function planFaults(seed: number, faults: readonly Fault[], forMs: number): PlannedFault[] {
  const planned: PlannedFault[] = []
  for (const strikes of ['processes', 'database'] as const) {
    const dice = Dice.of(seed, strikes)
    const lane = faults.filter((fault) => fault.strikes === strikes)
    const drawn = lane.flatMap((fault) =>
      Array.from({ length: Math.round((fault.weight ?? 1) * 4) }, () => fault),
    )
    if (drawn.length === 0) continue
    // Each has its turn before any has another.
    const turns = dice.shuffled(lane)
    for (let atMs = dice.whole(500, 1500); ;) {
      const fault = turns.shift() ?? dice.pick(drawn)
      if (atMs + fault.lastsMs > forMs) break
      planned.push({ atMs, fault, seed: dice.whole(0, 2 ** 31) })
      atMs += fault.lastsMs + dice.whole(100, 700)
    }
  }
  return planned.sort((a, b) => a.atMs - b.atMs)
}

/** Carries out what was planned. */
export class Nemesis {
  private readonly off = new AbortController()
  private readonly lanes: Promise<void>[] = []
  private readonly failures: unknown[] = []

  constructor(
    private readonly plan: readonly PlannedFault[],
    private readonly history: HistoryWriter,
  ) {}

  /** Begins; nothing waits for it. */
  begin(field: Omit<Field, 'pause'>, beganAt: number): void {
    const pausing: Field = { ...field, pause: (ms) => sleep(ms, undefined, { signal: this.off.signal }) }
    for (const strikes of ['processes', 'database'] as const) {
      const plan = this.plan.filter(({ fault }) => fault.strikes === strikes)
      this.lanes.push(this.lane(plan, pausing, beganAt))
    }
  }

  private async lane(plan: readonly PlannedFault[], field: Field, beganAt: number): Promise<void> {
    for (const { atMs, fault, seed } of plan) {
      try {
        await field.pause(Math.max(0, beganAt + atMs - mono()))
        this.history.append({ kind: 'mark', what: 'fault', detail: fault.name })
        await fault.strike(field, new Dice(seed))
      } catch (error) {
        if (!this.off.signal.aborted) this.failures.push(error)
        return
      }
    }
  }

  /**
   * No more faults. Resolves when those that were under way have healed.
   * @throws AggregateError when a fault could not be carried out
   */
  async callOff(): Promise<void> {
    this.off.abort()
    await Promise.all(this.lanes)
    if (this.failures.length > 0) throw new AggregateError(this.failures, 'a fault could not be carried out')
  }
}
