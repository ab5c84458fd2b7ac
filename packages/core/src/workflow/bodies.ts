import { LazyAbort } from '../lazy-abort.js'
import type { StepContext } from './run.js'

/** The bodies of steps that run at this moment, each with a signal of its own. */
export class Bodies {
  /** @param outer aborts all of them. */
  constructor(private readonly outer: LazyAbort) {}

  /**
   * Runs a body until it ends or its signal aborts; a body that ignores its signal is not waited for.
   * @throws what the body throws; the reason of the signal
   */
  async run<T>(body: (own: LazyAbort) => Promise<T>): Promise<T> {
    if (this.outer.aborted) throw this.outer.reason
    const own = new LazyAbort()
    let forget = (): void => undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        forget = this.outer.onAbort((reason) => {
          own.abort(reason)
          reject(reason)
        })
        body(own).then(resolve, reject)
      })
    } finally {
      forget()
    }
  }
}

/** What the body of a step gets; its signal is made when it is asked for. */
export class BodyContext implements StepContext {
  constructor(
    private readonly abort: LazyAbort,
    readonly attempt: number,
    readonly idempotencyKey: string,
  ) {}

  get signal(): AbortSignal {
    return this.abort.signal
  }
}
