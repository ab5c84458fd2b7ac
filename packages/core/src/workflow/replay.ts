import { delay, type Clock } from '../clock.js'
import type { Boundary } from './boundary.js'
import { Interruption } from './ending.js'
import type { Checkpoint, History } from './history.js'
import type { Pass } from './pass.js'
import { Scope } from './scope.js'
import type { Waits } from './waits.js'

// For how long a replay waits for what its branches do between their boundaries before it takes the code for changed.
const GRACE_MS = 1000

/** The way of a pass through what was recorded before it: the body must come by all of that again. */
export class Replay {
  private readonly scopes = new Map<string, Scope>()
  private readonly progress = {
    seenIn: (scope: string): number | undefined => this.scopes.get(scope)?.seen,
  }

  constructor(
    private readonly history: History,
    private readonly pass: Pass,
    private readonly waits: Waits,
    private readonly clock: Clock,
  ) {}

  /** The body enters a stretch of code whose boundaries are named for themselves. */
  openScope(path: string): Scope {
    const scope = new Scope(path)
    this.scopes.set(path, scope)
    return scope
  }

  /** What is recorded of a boundary the body has come by. @throws Interruption when another kind is recorded */
  visit(boundary: Boundary): Checkpoint | undefined {
    try {
      return this.history.visit(boundary.name, boundary.kind)
    } catch (error) {
      throw new Interruption({ kind: 'diverged', error })
    }
  }

  /** Lets the branches come by all they should have come by so far. */
  caughtUp(): Promise<void> {
    return this.until(() => this.history.skipped(this.progress).length === 0)
  }

  /** Before anything new: nothing recorded may have been passed over. @throws Interruption */
  mustAllow(boundary: Boundary): void {
    try {
      this.history.mustAllow(boundary.name, this.progress)
    } catch (error) {
      throw new Interruption({ kind: 'diverged', error })
    }
  }

  /** The body has returned: lets branches it did not wait for come by what they had recorded. */
  finish(): Promise<void> {
    return this.until(() => this.history.skipped().length === 0)
  }

  /** Lets the branches replay what is recorded, also those that wait for something of their own in between. */
  private async until(enough: () => boolean): Promise<void> {
    if (!this.history.replaying) return
    const { clock, pass } = this
    const giveUpAt = clock.monotonic() + GRACE_MS
    const mayWait = (): boolean => !pass.over && !pass.cancelled && clock.monotonic() < giveUpAt
    // It counts as work: the run must not be put down because its other branches wait.
    await this.waits.during(async () => {
      await clock.settle()
      for (let ms = 1; !enough() && mayWait(); ms = Math.min(ms * 2, 50)) {
        await delay(clock, ms, { background: true })
      }
    })
  }
}
