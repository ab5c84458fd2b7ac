/**
 * Lets one writer at a time through, in the order of asking: a database with only one writer would let the others
 * wait on a lock, and waiting here costs nothing.
 */
export class WriterQueue {
  private last: Promise<unknown> = Promise.resolve()
  private unfinished = 0

  /** Nobody has a turn or waits for one. */
  get idle(): boolean {
    return this.unfinished === 0
  }

  /** Runs `work` when all who asked earlier are done, whatever became of them. @throws what `work` throws */
  turn<T>(work: () => T | Promise<T>): Promise<T> {
    this.unfinished++
    const mine = this.last.then(work)
    this.last = mine.then(this.done, this.done)
    return mine
  }

  /** Resolves when everybody who asked so far is done. */
  async drained(): Promise<void> {
    await this.last
  }

  private readonly done = (): void => {
    this.unfinished--
  }
}
