import type { Clock } from '@pgqrs/core/driver'

/** So many statements take a millisecond or two. */
export const SLICE = 200

/** Lets the event loop go on after every slice of statements, whoever sends them: each of them blocks it. */
export class Pace {
  private executed = 0
  private rest: Promise<void> | undefined

  constructor(private readonly clock: Clock) {}

  /** Before so many statements are executed: lets the rest of the process go on when they are too many for this slice. */
  async before(statements: number): Promise<void> {
    // Who waits goes on together with all the others, and most of them will find the next slice used up.
    while (this.executed > 0 && this.executed + statements > SLICE) {
      this.rest ??= this.clock.settle().then(() => {
        this.executed = 0
        this.rest = undefined
      })
      await this.rest
    }
    this.executed += statements
  }
}
