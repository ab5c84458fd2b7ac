/** The bodies of steps that run at this moment, each with a signal of its own. */
export class Bodies {
  private readonly running = new Set<AbortController>()

  /** @param outer aborts all of them. */
  constructor(private readonly outer: AbortSignal) {
    outer.addEventListener('abort', () => {
      for (const controller of this.running) controller.abort(outer.reason)
    })
  }

  /**
   * Runs a body until it ends or its signal aborts; a body that ignores its signal is not waited for.
   * @throws what the body throws; the reason of the signal
   */
  async run<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.outer.aborted) throw this.outer.reason as Error
    const controller = new AbortController()
    const { signal } = controller
    this.running.add(controller)
    try {
      return await new Promise<T>((resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
        body(signal).then(resolve, reject)
      })
    } finally {
      this.running.delete(controller)
    }
  }
}
