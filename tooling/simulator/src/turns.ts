// Node runs all microtasks between two immediates of one batch, and asks the system for I/O only after the batch.
const BATCH = 64

/**
 * Turns of the event loop, many times over: each begins when everything that the one before has set off, and that needs
 * no time, has run. Nothing here does real I/O.
 */
export class Turns {
  private step: (() => boolean) | undefined
  private queued = 0

  /** Calls `step` in one turn after the other until it says that it is done. */
  run(step: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.step = () => {
        try {
          if (!step()) return false
          resolve()
        } catch (error) {
          reject(error)
        }
        return true
      }
      if (this.queued === 0) this.queueMore()
    })
  }

  private queueMore(): void {
    this.queued = BATCH
    for (let n = 0; n < BATCH; n++) setImmediate(this.turn)
  }

  // What is left of a batch when a run is over serves the next one, or does nothing.
  private readonly turn = (): void => {
    this.queued--
    if (this.step?.() === true) this.step = undefined
    if (this.step !== undefined && this.queued === 0) this.queueMore()
  }
}
