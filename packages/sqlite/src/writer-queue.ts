/** Lets one writer at a time through, in the order of asking. SQLite has one; waiting here costs nothing. */
export class WriterQueue {
  private last: Promise<unknown> = Promise.resolve()

  /** Runs `work` when all who asked earlier are done, whatever became of them. */
  turn<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.last.then(work)
    this.last = mine.catch(() => undefined)
    return mine
  }

  /** Resolves when everybody who asked so far is done. */
  async drained(): Promise<void> {
    await this.last
  }
}

const known = new WeakMap<object, WriterQueue>()

/** The queue of a connection: stores that share one must not write into each other's transactions. */
export function writersOf(connection: object): WriterQueue {
  let writers = known.get(connection)
  if (writers === undefined) {
    writers = new WriterQueue()
    known.set(connection, writers)
  }
  return writers
}
