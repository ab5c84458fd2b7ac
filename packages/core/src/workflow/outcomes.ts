import type { Cancel } from '../clock.js'
import { AbortedError, ClosedError, PgqrsError, TimeoutError } from '../errors.js'
import type { OutcomeRow } from '../store/records.js'
import type { Engine } from '../store/engine.js'
import { onAbort } from '../on-abort.js'
import { notFound } from '../store/messages.js'
import { isFinal } from '../status.js'

interface Waiter {
  /** No look has told yet that there is such a run. */
  first: boolean
  /** The wait was over before the first look: what to say unless that look finds the run finished. */
  late?: Error
  readonly resolve: (row: OutcomeRow) => void
  readonly reject: (error: unknown) => void
}

const FIRST_LOOK_MS = 20
// A look takes a moment, and one that takes longer has met an outage.
const FIRST_LOOK_GRACE_MS = 500

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
    engine.endings.on((ended) => {
      this.tell(ended)
    })
    engine.closed.addEventListener('abort', () => {
      this.fail(new ClosedError('The store was closed while a result was awaited.'), this.waiting.keys())
    })
  }

  /**
   * Resolves when the message has finished.
   * @throws NotFoundError when there is none; AbortedError, or the signal's reason when it is an error of pgqrs
   * @throws TimeoutError after `timeoutMs`. The first look counts however short that is.
   */
  wait(
    id: string,
    queue: string,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
  ): Promise<OutcomeRow> {
    return new Promise((resolve, reject) => {
      let forget = (): void => undefined
      let stop: Cancel = () => undefined
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T): void => {
          forget()
          stop()
          this.remove(id, waiter)
          done(value)
        }
      const waiter: Waiter = { first: true, resolve: settle(resolve), reject: settle(reject) }
      if (signal?.aborted === true) {
        reject(abortedBy(signal.reason))
        return
      }
      if (signal !== undefined) {
        forget = onAbort(signal, () => {
          waiter.reject(abortedBy(signal.reason))
        })
      }
      if (timeoutMs !== undefined) {
        const error = new TimeoutError(`Run ${id} of ${queue} has not finished within ${timeoutMs} ms.`)
        stop = this.engine.clock.after(timeoutMs, () => {
          if (!waiter.first) waiter.reject(error)
          else stop = this.engine.clock.after(FIRST_LOOK_GRACE_MS, () => waiter.reject(error))
          waiter.late = error
        })
      }
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
    if (this.waiting.size === 0) return
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
      this.cancel = clock.after(
        this.lookMs * (0.75 + random.fraction() / 2),
        () => {
          this.look()
        },
        { slackMs: () => Infinity },
      )
    })
  }

  private async lookOnce(): Promise<void> {
    // The calls made side by side are looked after together.
    await Promise.resolve()
    const known: string[] = []
    const first: string[] = []
    for (const [id, waiters] of this.waiting) (some(waiters, isFirst) ? first : known).push(id)
    try {
      const args = { ids: JSON.stringify(known), first: JSON.stringify(first) }
      const rows = await this.engine.run(this.engine.queries.messages.outcomes, args, 'look for results')
      const found = new Set<string>()
      for (const row of rows) {
        found.add(row.id)
        this.tell(row)
      }
      for (const id of first) if (!found.has(id)) this.fail(notFound(id), [id])
    } catch (error) {
      // An outage passes for who waits already; what does not pass must not leave anybody waiting.
      const passes = (error as { retryable?: boolean }).retryable === true
      this.fail(error, passes ? first : this.waiting.keys())
    }
  }

  private tell(row: OutcomeRow): void {
    for (const waiter of this.waiting.get(row.id) ?? []) {
      waiter.first = false
      if (isFinal(row.status)) waiter.resolve(row)
      else if (waiter.late !== undefined) waiter.reject(waiter.late)
    }
  }

  private fail(error: unknown, ids: Iterable<string>): void {
    for (const id of [...ids]) for (const waiter of [...(this.waiting.get(id) ?? [])]) waiter.reject(error)
  }

  private remove(id: string, waiter: Waiter): void {
    const set = this.waiting.get(id)
    set?.delete(waiter)
    if (set?.size === 0) this.waiting.delete(id)
    if (this.waiting.size === 0) this.cancel()
  }
}

function isFirst(waiter: Waiter): boolean {
  return waiter.first
}

function some<T>(set: ReadonlySet<T>, test: (item: T) => boolean): boolean {
  for (const item of set) if (test(item)) return true
  return false
}

function abortedBy(reason: unknown): PgqrsError {
  if (reason instanceof PgqrsError) return reason
  return new AbortedError('The wait for the result was aborted.', { cause: reason })
}
