import {
  AbortedError,
  AmbiguousCommitError,
  EnqueueStreamError,
  InvalidArgumentError,
  PgqrsError,
} from '../errors.js'
import type { SourceRange } from '../errors.js'
import { display } from '../names.js'

/** What a stream has come to. */
export interface EnqueueProgress {
  /** Messages enqueued so far. */
  readonly enqueued: number
  /** The batch that was committed last: the position of its first payload in the source, … */
  readonly from: number
  /** … and the ids of its messages. */
  readonly ids: readonly string[]
}

/** A stream and what is to be done with what comes out of it. */
export interface StreamPlan<Payload, Item> {
  /** Where it leads, for messages. */
  readonly what: string
  readonly source: AnyIterator<Payload>
  prepare(payload: Payload, index: number): Promise<Item>
  sizeOf(item: Item): number
  /** Commits a batch, all or none, and returns the ids. */
  send(items: readonly Item[]): Promise<string[]>
  readonly maxItems: number
  /** Batches on their way at once. */
  readonly parallel: number
  readonly onProgress: ((progress: EnqueueProgress) => void) | undefined
  readonly signal: AbortSignal | undefined
}

type AnyIterator<T> = Iterator<T, unknown, undefined> | AsyncIterator<T, unknown, undefined>

/** Characters in one batch; one larger item leaves alone. */
const MAX_SIZE = 4 * 1024 * 1024

/**
 * Reads a source and commits what comes out of it in batches.
 * @throws EnqueueStreamError
 */
export async function enqueueStream<Payload, Item>(plan: StreamPlan<Payload, Item>): Promise<number> {
  const { signal } = plan
  if (signal?.aborted === true) throw aborted(signal)
  const stream = new EnqueueStream(plan)
  const abort = (): void => {
    if (signal !== undefined) stream.fail(aborted(signal))
  }
  signal?.addEventListener('abort', abort)
  try {
    return await stream.run()
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

class EnqueueStream<Payload, Item> {
  private readonly committed: SourceRange[] = []
  private readonly uncertain: SourceRange[] = []
  private readonly inFlight = new Set<Promise<void>>()
  private enqueued = 0
  private failure: { readonly error: unknown } | undefined
  private interrupt: () => void = () => undefined

  constructor(private readonly plan: StreamPlan<Payload, Item>) {}

  async run(): Promise<number> {
    try {
      await this.pump()
    } catch (error) {
      this.fail(error)
    }
    // What is on its way is waited for, so that its fate is known.
    await Promise.all(this.inFlight)
    if (this.failure === undefined) return this.enqueued
    this.letGo()
    throw this.streamError(this.failure.error)
  }

  /** Ends the stream. What is on its way still arrives. */
  fail(error: unknown): void {
    this.failure ??= { error }
    this.interrupt()
  }

  private async pump(): Promise<void> {
    let items: Item[] = []
    let size = 0
    let from = 0
    for (let index = 0; this.failure === undefined; index++) {
      const next = await this.unlessOver(() => this.plan.source.next())
      if (next === undefined) return
      if (next.done === true) {
        if (items.length > 0) await this.dispatch(items, from)
        return
      }
      const { value } = next
      const item = await this.unlessOver(() => this.plan.prepare(value, index))
      if (item === undefined) return
      items.push(item)
      size += this.plan.sizeOf(item)
      if (items.length < this.plan.maxItems && size < MAX_SIZE) continue
      await this.dispatch(items, from)
      items = []
      size = 0
      from = index + 1
    }
  }

  /** The result of `work`; undefined as soon as the stream has failed, though `work` may never end. */
  private unlessOver<T>(work: () => T | PromiseLike<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.interrupt = () => {
        resolve(undefined)
      }
      if (this.failure !== undefined) resolve(undefined)
      else Promise.resolve(work()).then(resolve, reject)
    })
  }

  /** Sends a batch as soon as there is room for it. */
  private async dispatch(items: readonly Item[], from: number): Promise<void> {
    while (this.inFlight.size >= this.plan.parallel) await Promise.race(this.inFlight)
    if (this.failure !== undefined) return
    const sending = this.send(items, from).finally(() => this.inFlight.delete(sending))
    this.inFlight.add(sending)
  }

  private async send(items: readonly Item[], from: number): Promise<void> {
    const range = { from, to: from + items.length }
    try {
      const ids = await this.plan.send(items)
      this.committed.push(range)
      this.enqueued += items.length
      this.plan.onProgress?.({ enqueued: this.enqueued, from, ids })
    } catch (error) {
      if (error instanceof AmbiguousCommitError) this.uncertain.push(range)
      this.fail(error)
    }
  }

  /** Lets the source release what it holds. It may be in the middle of something that never ends. */
  private letGo(): void {
    void Promise.resolve()
      .then(() => this.plan.source.return?.())
      .catch(() => undefined)
  }

  private streamError(cause: unknown): EnqueueStreamError {
    const said = cause instanceof Error ? cause.message : String(cause)
    return new EnqueueStreamError(
      `The stream into ${this.plan.what} ended after ${this.enqueued} messages were enqueued: ${said}`,
      { enqueued: this.enqueued, committed: joined(this.committed), uncertain: joined(this.uncertain) },
      { cause, retryable: cause instanceof PgqrsError && cause.retryable },
    )
  }
}

/**
 * Begins to read.
 * @throws InvalidArgumentError when there is nothing to read
 */
export function iteratorOf<T>(source: Iterable<T> | AsyncIterable<T>, batched: boolean): AnyIterator<T> {
  const given = source as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined
  const readable = typeof given === 'object' && given !== null
  if (readable && typeof given[Symbol.asyncIterator] === 'function') {
    return (source as AsyncIterable<T>)[Symbol.asyncIterator]()
  }
  if (readable && batched && typeof given[Symbol.iterator] === 'function') {
    return (source as Iterable<T>)[Symbol.iterator]()
  }
  const hint =
    readable && typeof given[Symbol.iterator] === 'function' ? ' Give `batch` for an iterable.' : ''
  throw new InvalidArgumentError(
    `enqueueMany takes an array of payloads, or an iterable in batches. Got ${display(source)}.${hint}`,
  )
}

/** Ranges in order, those that touch made one. */
function joined(ranges: readonly SourceRange[]): SourceRange[] {
  const out: SourceRange[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last?.to === from) out[out.length - 1] = { from: last.from, to }
    else out.push({ from, to })
  }
  return out
}

function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('The call was aborted (enqueueMany).', { cause: signal.reason })
}
