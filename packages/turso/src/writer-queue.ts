/** Lets one piece of work at a time through, in the order of asking. */
export class WriterQueue {
  private last: Promise<unknown> = Promise.resolve()
  private unfinished = 0

  /** Nobody has a turn or waits for one. */
  get idle(): boolean {
    return this.unfinished === 0
  }

  /** Runs `work` when all who asked earlier are done, whatever became of them. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    this.unfinished += 1
    const mine = this.last.then(work).finally(() => {
      this.unfinished -= 1
    })
    this.last = mine.catch(() => undefined)
    return mine
  }

  /** Resolves when everybody who asked so far is done. */
  async drained(): Promise<void> {
    await this.last
  }
}
