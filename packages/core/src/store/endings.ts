import type { OutcomeRow } from './records.js'

/** Ends that were committed through this store, for those who await them here: they need not look for them. */
export class Endings {
  private readonly listeners = new Set<(ended: OutcomeRow) => void>()

  /** Calls back on each end. */
  on(callback: (ended: OutcomeRow) => void): void {
    this.listeners.add(callback)
  }

  /** Tells of an end. Call it after the commit. */
  tell(ended: OutcomeRow): void {
    for (const callback of this.listeners) callback(ended)
  }
}
