/** Which steps the errors came from that the code of a run has been given. */
export class Origins {
  private readonly steps = new WeakMap<object, string>()
  private latest: string | undefined

  /** The code is given the error of a step. */
  note(error: unknown, step: string): void {
    if (typeof error === 'object' && error !== null) this.steps.set(error, step)
    this.latest = step
  }

  /** The code is given the result of a step. */
  passed(): void {
    this.latest = undefined
  }

  /**
   * The step behind an error the code threw: one it was given, or wrapped as a cause; otherwise (a new error, a thrown
   * text) the step whose error was the last thing the code was given.
   */
  of(error: unknown): string | undefined {
    for (
      let e = error, depth = 0;
      typeof e === 'object' && e !== null && depth < 10;
      e = (e as { cause?: unknown }).cause, depth++
    ) {
      const step = this.steps.get(e)
      if (step !== undefined) return step
    }
    return this.latest
  }
}
