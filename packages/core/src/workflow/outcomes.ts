import type { Cancel } from '../clock.js'
import { AbortedError, ClosedError, PgqrsError } from '../errors.js'
import type { OutcomeRow } from '../store/records.js'
import type { Engine } from '../store/engine.js'

interface Waiter {
  readonly resolve: (row: OutcomeRow) => void
  readonly reject: (error: unknown) => void
}

const FIRST_LOOK_MS = 20

/** Waits for runs to finish: one look at all awaited runs at each hint, and at polls that grow rarer. */
export class Outcomes {
  private readonly waiting = new Map<string, Set<Waiter>>()
  private unsubscribe: (() => void) | undefined
  private cancel: Cancel = () => undefined
  private lookMs = FIRST_LOOK_MS
  private looking = false
  private again = false
  private readonly queues = new Set<string>()

  constructor(private readonly engine: Engine) {
    engine.closed.addEventListener('abort', () => {
      this.fail(new ClosedError('The store was closed while a result was awaited.'))
    })
  }

  /** Resolves when the message has finished. @throws AbortedError, or the signal's reason when it is an error of pgqrs */
  wait(id: string, queue: string, signal: AbortSignal | undefined): Promise<OutcomeRow> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.remove(id, waiter)
        reject(abortedBy(signal?.reason))
      }
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort)
          this.remove(id, waiter)
          done(value)
        }
      const waiter: Waiter = { resolve: settle(resolve), reject: settle(reject) }
      if (signal?.aborted === true) {
        reject(abortedBy(signal.reason))
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const set = this.waiting.get(id)
      if (set === undefined) this.waiting.set(id, new Set([waiter]))
      else set.add(waiter)
      this.subscribe(queue)
      this.lookMs = FIRST_LOOK_MS
      this.look()
    })
  }

  private subscribe(queue: string): void {
    if (this.queues.has(queue)) return
    this.queues.add(queue)
    this.unsubscribe?.()
    this.unsubscribe = this.engine.wakeups.on(
      [...this.queues].map((name) => `done:${name}` as const),
      () => {
        this.look()
      },
    )
    void this.engine.wakeups.listen()
  }

  private look(): void {
    if (this.looking) {
      this.again = true
      return
    }
    this.looking = true
    this.cancel()
    void this.lookOnce().finally(() => {
      this.looking = false
      if (this.waiting.size === 0) return
      if (this.again) {
        this.again = false
        this.look()
        return
      }
      const { config, wakeups, clock, random } = this.engine
      const longest = wakeups.proved ? config.pollMs * 5 : config.pollMs
      this.lookMs = Math.min(this.lookMs * 2, longest)
      this.cancel = clock.after(this.lookMs * (0.75 + random.fraction() / 2), () => {
        this.look()
      })
    })
  }

  private async lookOnce(): Promise<void> {
    try {
      const ids = JSON.stringify([...this.waiting.keys()])
      const rows = await this.engine.run(this.engine.queries.messages.outcomes, { ids }, 'look for results')
      for (const row of rows) for (const waiter of this.waiting.get(row.id) ?? []) waiter.resolve(row)
    } catch (error) {
      // An outage passes; what does not pass must not leave anybody waiting.
      if ((error as { retryable?: boolean }).retryable !== true) this.fail(error)
    }
  }

  private fail(error: unknown): void {
    for (const set of [...this.waiting.values()]) for (const waiter of [...set]) waiter.reject(error)
  }

  private remove(id: string, waiter: Waiter): void {
    const set = this.waiting.get(id)
    set?.delete(waiter)
    if (set?.size === 0) this.waiting.delete(id)
    if (this.waiting.size === 0) this.cancel()
  }
}

function abortedBy(reason: unknown): PgqrsError {
  if (reason instanceof PgqrsError) return reason
  return new AbortedError('The wait for the result was aborted.', { cause: reason })
}
