import type { Cancel, Clock } from '../clock.js'

/** Something the code of a run waits for. */
export interface Wait {
  /** When it is over, ms since the epoch by the database's clock; undefined: only a signal ends it. */
  readonly dueMs: number | undefined
  /** The pause whose signal ends it. */
  readonly signal?: string
  /** What the run is in the meantime: paused, or queued for the retry of a step. */
  readonly status: 'queued' | 'paused'
  readonly over: () => void
}

/** A wait shorter than this stays in the process; a longer one gives the worker back. */
export const MOMENT_MS = 1000

/**
 * What the branches of a run wait for. When all of them wait and nothing is at work, the run is put down: it holds no
 * worker, no slot and no memory until the first wait is over.
 */
export class Waits {
  private readonly waits = new Map<Wait, Cancel>()
  private busy = 0
  private checking = false
  private puttingDown = false

  constructor(
    private readonly clock: Clock,
    /** The database's clock as far as this process can tell; never ahead of it. */
    private readonly databaseNow: () => number,
    /** Called when everything waits; resolves when it is known whether the run was put down. */
    private readonly putDown: (waits: readonly Wait[]) => Promise<void>,
  ) {}

  /** Counts `work` as activity for as long as it takes. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.busy++
    try {
      return await work()
    } finally {
      this.busy--
      this.check()
    }
  }

  /** Counts as waiting, not as working, for as long as `wait` takes: inside of {@link during}. */
  async idle<T>(wait: () => Promise<T>): Promise<T> {
    this.busy--
    try {
      return await wait()
    } finally {
      this.busy++
    }
  }

  /** Waits until a point in time or a signal. */
  until(wait: Omit<Wait, 'over'>): Promise<void> {
    return new Promise((resolve) => {
      const entry: Wait = {
        ...wait,
        over: () => {
          this.waits.get(entry)?.()
          this.waits.delete(entry)
          resolve()
          // What is left may be longer waits only.
          this.check()
        },
      }
      const cancel =
        wait.dueMs === undefined
          ? () => undefined
          : this.clock.after(wait.dueMs - this.databaseNow(), entry.over, { background: true })
      this.waits.set(entry, cancel)
      this.check()
    })
  }

  /** What is waited for at the moment. */
  get pending(): readonly Wait[] {
    return [...this.waits.keys()]
  }

  /** Looks, once everything that can run has run, whether the run can be put down. */
  check(): void {
    if (this.checking || this.puttingDown) return
    this.checking = true
    void this.clock.settle().then(() => {
      this.checking = false
      if (this.busy > 0 || this.waits.size === 0) return
      const soonest = Math.min(...this.pending.map((wait) => wait.dueMs ?? Infinity))
      if (soonest - this.databaseNow() <= MOMENT_MS) return
      this.puttingDown = true
      void this.putDown(this.pending).finally(() => {
        this.puttingDown = false
        this.check()
      })
    })
  }

  /** Forgets every wait: the execution is over. */
  clear(): void {
    for (const cancel of this.waits.values()) cancel()
    this.waits.clear()
  }
}
