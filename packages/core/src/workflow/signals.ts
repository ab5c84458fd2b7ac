import type { Cancel } from '../clock.js'
import type { Recorder } from './recorder.js'
import type { Waits } from './waits.js'

/** Finds out whether pauses of a run have been resumed while the run is in the process. */
export class Signals {
  private looking = false
  private cancel: Cancel = () => undefined

  constructor(
    private readonly recorder: Recorder,
    private readonly waits: Waits,
  ) {}

  /** Looks now and then for as long as a pause is waited for: other branches may keep the run from being put down. */
  watch(): void {
    if (this.looking) return
    this.looking = true
    const { clock, config } = this.recorder.engine
    this.cancel = clock.after(
      config.pollMs,
      () => {
        this.looking = false
        if (!this.waits.pending.some((wait) => wait.signal !== undefined)) return
        // When it fails the next look tries again; that the lease is gone is found out elsewhere.
        void this.look().catch(() => undefined)
        this.watch()
      },
      { background: true },
    )
  }

  /** Looks no more: the execution is over. */
  stop(): void {
    this.cancel()
  }

  /** Looks now, and ends the waits of pauses that were resumed. */
  async look(): Promise<void> {
    await this.recorder.refresh()
    const { history } = this.recorder
    for (const wait of this.waits.pending) {
      if (wait.signal !== undefined && history.get(wait.signal) !== undefined) wait.over()
    }
  }
}
