import { AbortedError, BackPressureError } from '../errors.js'
import { onAbort } from '../on-abort.js'

/** One kind of work the batcher can carry. Items of the same operation leave in one statement. */
export interface Operation<Item, Row> {
  readonly name: string
  /** Tells items of one flush apart; a second item with the same key waits for the next flush. */
  keyOf(item: Item): string
  /** Rough size of an item, in characters. */
  sizeOf(item: Item): number
  /** It brings new work in, so it is refused when too much waits; what ends or records work never is. */
  readonly refusable?: boolean
  /** Never set; carries the type of a row. */
  readonly row?: Row
}

/** Items of one operation that leave together. */
export interface Group {
  readonly operation: Operation<never, unknown>
  readonly items: readonly unknown[]
}

/** What became of one item: the row the statement returned for it, or none. */
export interface Answer<Row> {
  readonly row: Row | undefined
  /** The statement was sent more than once, so an earlier sending may have taken effect. */
  readonly repeated: boolean
}

/** Answers for each group, in the order of its items. */
export type Flush = (groups: readonly Group[]) => Promise<Answer<unknown>[][]>

interface Waiting {
  readonly operation: Operation<never, unknown>
  readonly item: unknown
  readonly size: number
  /** Characters it counts for while it waits. */
  readonly held: number
  readonly signal: AbortSignal | undefined
  readonly resolve: (answer: Answer<unknown>) => void
  readonly reject: (error: unknown) => void
}

/** Limits of a batcher. */
export interface BatcherLimits {
  /** Flushes in flight at once. */
  readonly parallel: number
  /** Everything that waits leaves in one flush, whatever its operation. */
  readonly together: boolean
  /** Items in one flush. */
  readonly maxItems: number
  /** Characters in one flush; one larger item leaves alone. */
  readonly maxSize: number
  /** Once so many characters wait, calls are refused with {@link BackPressureError}. */
  readonly maxWaitingSize: number
  /** Characters a call counts for besides its item while it waits: what its promises and closures take up. */
  readonly sizeOfCall: number
}

/**
 * Group commit. A call that finds the way free leaves at the end of the current turn of the event loop; calls that arrive
 * while flushes are in flight leave together in the next one. Serial-looking code gets batch speed and an idle store adds
 * no delay. Each promise settles after its own commit, and one bad item does not fail its neighbours.
 */
export class Batcher {
  private readonly lanes = new Map<Operation<never, unknown>, Waiting[]>()
  private inFlight = 0
  private waitingSize = 0
  private scheduled = false
  private readonly idleWaiters: (() => void)[] = []

  constructor(
    private readonly flush: Flush,
    private readonly limits: BatcherLimits,
    /** Whether an error is about some item of the flush, so that splitting it finds the culprit. */
    private readonly isolates: (error: unknown) => boolean,
    private readonly settle: () => Promise<void>,
  ) {}

  /**
   * Queues an item; resolves after the commit that carried it. When the signal aborts it rejects at once; an item that
   * has not left by then never leaves.
   * @param first what must have happened before it may leave. It counts as waiting meanwhile.
   */
  submit<Item, Row>(
    operation: Operation<Item, Row>,
    item: Item,
    signal?: AbortSignal,
    first?: Promise<unknown>,
  ): Promise<Answer<Row>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(abortedBy(signal, operation.name))
        return
      }
      const size = operation.sizeOf(item)
      const held = size + this.limits.sizeOfCall
      if (operation.refusable === true) this.mustHaveRoom(operation.name)
      this.waitingSize += held
      const settled = this.watch(signal, operation.name, reject)
      const waiting: Waiting = {
        operation,
        item,
        size,
        held,
        signal,
        resolve: (answer) => {
          settled()
          resolve(answer as Answer<Row>)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      if (first === undefined) this.enter(waiting)
      else {
        first.then(
          () => {
            this.enter(waiting)
          },
          (error: unknown) => {
            this.waitingSize -= held
            waiting.reject(error)
          },
        )
      }
    })
  }

  /** @throws BackPressureError when so much waits that no new work may come in. */
  mustHaveRoom(doing: string): void {
    if (this.waitingSize < this.limits.maxWaitingSize) return
    throw new BackPressureError(
      `${Math.round(this.waitingSize / 1024)} KiB wait for the database already (${doing}). ` +
        'Await some of the calls before making more.',
    )
  }

  /** Rejects when the signal aborts. Returns how to stop watching. */
  private watch(
    signal: AbortSignal | undefined,
    doing: string,
    reject: (error: unknown) => void,
  ): () => void {
    if (signal === undefined) return nothing
    return onAbort(signal, () => {
      reject(abortedBy(signal, doing))
    })
  }

  private enter(waiting: Waiting): void {
    const lane = this.lanes.get(waiting.operation)
    if (lane === undefined) this.lanes.set(waiting.operation, [waiting])
    else lane.push(waiting)
    this.schedule()
  }

  /** Nothing waits and nothing is in flight. */
  get quiet(): boolean {
    return this.inFlight === 0 && this.lanes.size === 0
  }

  /** Resolves when it is {@link quiet}. */
  idle(): Promise<void> {
    if (this.quiet) return Promise.resolve()
    return new Promise((resolve) => this.idleWaiters.push(resolve))
  }

  private schedule(): void {
    if (this.scheduled || this.inFlight >= this.limits.parallel) return
    this.scheduled = true
    // When everything that is able to run has run, so that what it gives rise to leaves side by side.
    void this.settle().then(() => {
      this.scheduled = false
      this.start()
    })
  }

  private start(): void {
    while (this.inFlight < this.limits.parallel && this.lanes.size > 0) {
      const batch = this.take()
      if (batch.length === 0) continue
      this.inFlight++
      void this.send(batch).finally(() => {
        this.inFlight--
        if (this.lanes.size > 0) this.schedule()
        this.tellIdle()
      })
    }
    // All that waited may have been aborted.
    this.tellIdle()
  }

  private tellIdle(): void {
    if (this.quiet) for (const done of this.idleWaiters.splice(0)) done()
  }

  /** Takes what leaves in the next flush: one operation's items, or everything where there is one writer. */
  private take(): Waiting[] {
    const batch: Waiting[] = []
    const room = { items: this.limits.maxItems, size: this.limits.maxSize }
    // A copy: a lane that is put back would be met again in the same round.
    for (const [operation, lane] of [...this.lanes]) {
      const rest = this.takeFrom(lane, room, batch)
      // Re-inserting moves the lane behind the others, so that operations take turns.
      this.lanes.delete(operation)
      if (rest.length > 0) this.lanes.set(operation, rest)
      if (!this.limits.together || room.items <= 0 || room.size <= 0) break
    }
    return batch
  }

  private takeFrom(lane: Waiting[], room: { items: number; size: number }, batch: Waiting[]): Waiting[] {
    const rest: Waiting[] = []
    const keys = new Set<string>()
    for (const [i, waiting] of lane.entries()) {
      // The lane may be very long, and this is done for every flush.
      if (room.items <= 0 || (room.size < waiting.size && batch.length > 0)) {
        return rest.length === 0 ? lane.slice(i) : [...rest, ...lane.slice(i)]
      }
      if (waiting.signal?.aborted === true) {
        this.waitingSize -= waiting.held
        continue
      }
      const key = waiting.operation.keyOf(waiting.item as never)
      if (keys.has(key)) {
        rest.push(waiting)
        continue
      }
      keys.add(key)
      room.items--
      room.size -= waiting.size
      this.waitingSize -= waiting.held
      batch.push(waiting)
    }
    return rest
  }

  private async send(batch: readonly Waiting[]): Promise<void> {
    try {
      const groups = group(batch)
      const answers = await this.flush(
        groups.map(({ operation, waiting }) => ({ operation, items: waiting.map((w) => w.item) })),
      )
      groups.forEach(({ waiting }, g) => {
        waiting.forEach((w, i) => {
          w.resolve(answers[g]?.[i] ?? { row: undefined, repeated: false })
        })
      })
    } catch (error) {
      if (batch.length === 1 || !this.isolates(error)) {
        for (const waiting of batch) waiting.reject(error)
        return
      }
      const middle = batch.length >> 1
      await this.send(batch.slice(0, middle))
      await this.send(batch.slice(middle))
    }
  }
}

function abortedBy(signal: AbortSignal, doing: string): AbortedError {
  return new AbortedError(`The call was aborted (${doing}).`, { cause: signal.reason })
}

function nothing(): void {
  // There is nothing to stop.
}

function group(batch: readonly Waiting[]): { operation: Operation<never, unknown>; waiting: Waiting[] }[] {
  const groups = new Map<Operation<never, unknown>, Waiting[]>()
  for (const waiting of batch) {
    const members = groups.get(waiting.operation)
    if (members === undefined) groups.set(waiting.operation, [waiting])
    else members.push(waiting)
  }
  return [...groups].map(([operation, waiting]) => ({ operation, waiting }))
}
