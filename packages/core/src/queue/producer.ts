import type { StandardSchemaV1 } from '@standard-schema/spec'
import { encode } from '../codec/encode.js'
import type { ValueLimits } from '../codec/limits.js'
import type { Execute, ExecuteNow, NewMessage } from '../store/records.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { ClosedError, InvalidArgumentError, PayloadError } from '../errors.js'
import { checkKey, checkKeys, display } from '../names.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { withinNow } from '../store/within-now.js'
import type { QueueDefinition } from './define-queue.js'
import { enqueueStream, iteratorOf, type EnqueueProgress } from './enqueue-stream.js'
import { Enqueuer, type Entry } from './enqueuer.js'
import { valueLimits, type PayloadLimits } from './limits.js'
import { RateLimiter, type RateLimit } from './rate-limit.js'

/** What happens when a message with the same key is there already. */
export type OnConflict = 'ignore' | 'replace' | 'reject'

/** Options of one message. */
export interface MessageOptions {
  /** Visible after this long. */
  readonly delay?: Duration
  /** Visible at this time, by the database's clock. */
  readonly at?: Date
  /** Higher is served first. Default 0. */
  readonly priority?: number
  /** At most one unfinished message of the queue has this key. */
  readonly key?: string
  /**
   * Default `ignore`: the call returns the id of the message that is there. `replace` gives that message this payload,
   * priority and time as long as nobody holds it. `reject` throws `KeyConflictError`.
   */
  readonly onConflict?: OnConflict
  /** A UUIDv7 of the caller's making; a repeat with the same id and payload changes nothing. */
  readonly id?: string
}

/** Options of one call. */
export interface EnqueueOptions<Tx = unknown> extends MessageOptions, CallOptions {
  /** The caller's transaction: the message exists if and only if it commits. */
  readonly tx?: Tx
}

/** Options of a batch: for all of its messages, or made for each payload. */
export interface EnqueueManyOptions<Tx = unknown, Payload = unknown> extends CallOptions {
  readonly tx?: Tx
  readonly each?: MessageOptions | ((payload: Payload, index: number) => MessageOptions)
}

/** Options of a stream. */
export interface EnqueueStreamOptions<Payload = unknown> extends CallOptions {
  /** Messages of one batch, which is committed whole or not at all. Default 1,000. */
  readonly batch?: number
  /** For all of its messages, or made for each payload; `index` is the position in the source. */
  readonly each?: MessageOptions | ((payload: Payload, index: number) => MessageOptions)
  /** Told after each commit. What it throws ends the stream. */
  readonly onProgress?: (progress: EnqueueProgress) => void
}

/** Options of a producer. */
export interface ProducerOptions {
  /** Registers the producer under this name, so that it is listed among the workers. */
  readonly name?: string
  /** Overrides the limits of the queue's definition. */
  readonly limits?: PayloadLimits
  /** Refuses what this producer enqueues faster. Default: no limit. */
  readonly rateLimit?: RateLimit
}

const messageKeys = ['delay', 'at', 'priority', 'key', 'onConflict', 'id']
const manyKeys = ['tx', 'signal', 'each']
const streamKeys = ['batch', 'signal', 'each', 'onProgress']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const LATEST_MS = 253_402_300_799_000

/** Enqueues messages of one queue. */
export class Producer<Input, Tx = unknown> {
  private readonly limits: ValueLimits
  private readonly limiter: RateLimiter | undefined
  private readonly enqueuer: Enqueuer
  private closed = false

  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly queue: QueueDefinition<Input, unknown>,
    options: ProducerOptions = {},
    private readonly kind: 'queue' | 'workflow' = 'queue',
    private readonly onClose: () => Promise<void> = () => Promise.resolve(),
  ) {
    checkKeys(options, ['name', 'limits', 'rateLimit'], `producer of ${queue.name}`)
    this.limits = options.limits === undefined ? queue.limits : valueLimits(options.limits)
    this.limiter =
      options.rateLimit === undefined ? undefined : new RateLimiter(options.rateLimit, engine.clock)
    this.enqueuer = new Enqueuer(engine)
  }

  /**
   * Enqueues a message and returns its id. When the promise resolves, the message is committed (with `tx`: will be
   * with the transaction).
   * @throws PayloadError, SerializationError, InvalidArgumentError, RateLimitedError before any I/O
   * @throws BackPressureError when 256 MiB of calls wait for the database already: await some before making more
   * @throws KeyConflictError, IdConflictError
   * @throws AmbiguousCommitError when the engine could not find out whether it was committed
   *
   * With a better-sqlite3 `Database` as `tx` it is all done when the call returns, and what is wrong is thrown by the
   * call itself instead of by its promise, so that `db.transaction(…)` rolls back.
   */
  enqueue(payload: Input, options: EnqueueOptions<Tx> = {}): Promise<string> {
    return this.attempt(options, (now) => {
      checkKeys(options, [...messageKeys, 'tx', 'signal'], 'enqueue')
      if (options.tx === undefined) this.engine.mustHaveRoom('enqueue')
      return this.checked([payload], now, (values) => {
        const message = this.message(values[0], options)
        this.limiter?.take(1, this.queue.name)
        const { onConflict = 'ignore', id } = options
        const entry = { message, onConflict, idGiven: id !== undefined }
        if (now !== undefined) {
          return Promise.resolve(this.enqueuer.enqueueNow([entry], this.kind, now)[0] as string)
        }
        return this.enqueuer.enqueueOne(entry, this.kind, options, this.within(options.tx))
      })
    })
  }

  /**
   * Enqueues many messages, all or none, and returns their ids in the same order.
   * @throws what {@link enqueue} throws; nothing is enqueued then (with `tx`: once the transaction is rolled back)
   */
  enqueueMany(payloads: readonly Input[], options?: EnqueueManyOptions<Tx, Input>): Promise<string[]>
  /**
   * Enqueues a stream of any length in batches, a few of them on their way at once, and reads no further ahead than
   * that. A batch leaves when it is full or the stream has ended. Waits where `rateLimit` says so. Returns how many
   * messages it has enqueued.
   * @throws EnqueueStreamError which tells what is committed, with what went wrong as its `cause`: an error of the
   * source, of a payload, of the database, of the signal
   */
  enqueueMany(payloads: AsyncIterable<Input>, options?: EnqueueStreamOptions<Input>): Promise<number>
  /** The same for what is at hand already; `batch` says that it is not to be all or none. */
  enqueueMany(
    payloads: Iterable<Input> | AsyncIterable<Input>,
    options: EnqueueStreamOptions<Input> & { readonly batch: number },
  ): Promise<number>
  enqueueMany(
    payloads: Iterable<Input> | AsyncIterable<Input>,
    options: EnqueueManyOptions<Tx, Input> & EnqueueStreamOptions<Input> = {},
  ): Promise<string[] | number> {
    return this.attempt(options, (now): Promise<string[] | number> => {
      checkKeys(options, [...manyKeys, ...streamKeys], 'enqueueMany')
      if (Array.isArray(payloads) && options.batch === undefined) return this.all(payloads, options, now)
      return this.stream(payloads, options)
    })
  }

  private all(
    payloads: readonly Input[],
    options: EnqueueManyOptions<Tx, Input>,
    now: ExecuteNow | undefined,
  ): Promise<string[]> {
    checkKeys(options, manyKeys, 'enqueueMany of an array')
    return this.checked(payloads, now, (values) => {
      const entries = values.map((value, i) => this.entry(value, payloads[i] as Input, i, options.each))
      this.limiter?.take(entries.length, this.queue.name)
      if (now !== undefined) return Promise.resolve(this.enqueuer.enqueueNow(entries, this.kind, now))
      return this.enqueuer.enqueueAll(entries, this.kind, options, this.within(options.tx))
    })
  }

  private stream(
    payloads: Iterable<Input> | AsyncIterable<Input>,
    options: EnqueueStreamOptions<Input>,
  ): Promise<number> {
    checkKeys(options, streamKeys, 'enqueueMany of a stream')
    const { each, onProgress, signal } = options
    return enqueueStream<Input, Entry>({
      what: `queue ${display(this.queue.name)}`,
      source: iteratorOf(payloads, options.batch !== undefined),
      prepare: async (payload, index) => {
        const entry = await this.checked(
          [payload],
          undefined,
          ([value]) => Promise.resolve(this.entry(value, payload, index, each)),
          index,
        )
        await this.limiter?.takeInTime(this.queue.name, signal)
        return entry
      },
      sizeOf: ({ message }) => this.engine.operations.enqueue.sizeOf(message),
      send: (entries) => {
        this.mustBeOpen()
        return this.enqueuer.enqueueAll(entries, this.kind, {}, undefined)
      },
      maxItems: toCount(options.batch ?? 1000, 'batch', 1, 10_000),
      parallel: this.engine.driver.capabilities.parallelFlushes,
      onProgress,
      signal,
    })
  }

  private entry(
    value: unknown,
    payload: Input,
    index: number,
    each: EnqueueManyOptions<Tx, Input>['each'] = {},
  ): Entry {
    const one = typeof each === 'function' ? each(payload, index) : each
    checkKeys(one, messageKeys, 'enqueueMany each')
    if (one.onConflict === 'replace') {
      throw new InvalidArgumentError("onConflict: 'replace' works on single messages; use enqueue.")
    }
    return {
      message: this.message(value, one),
      onConflict: one.onConflict ?? 'ignore',
      idGiven: one.id !== undefined,
    }
  }

  /** Removes the producer from the list of workers, when it was given a name. */
  async close(): Promise<void> {
    this.closed = true
    await this.onClose()
  }

  /**
   * A promise, always, but in a transaction that cannot wait for one: there a failure is thrown, because an error is all
   * that rolls such a transaction back.
   */
  private attempt<T>(
    options: { readonly tx?: Tx } | null,
    work: (now: ExecuteNow | undefined) => Promise<T>,
  ): Promise<T> {
    let now: ExecuteNow | undefined
    try {
      now = withinNow(this.engine.driver, options?.tx)
      this.mustBeOpen()
      return work(now)
    } catch (error) {
      if (now !== undefined) throw error
      return Promise.reject(error)
    }
  }

  private mustBeOpen(): void {
    this.engine.mustBeOpen('enqueue')
    if (this.closed) throw new ClosedError(`This producer of ${this.queue.name} is closed.`)
  }

  /** Validates every payload by the queue's schema before anything else happens to any of them. */
  private checked<T>(
    payloads: readonly Input[],
    now: ExecuteNow | undefined,
    then: (values: unknown[]) => Promise<T>,
    first = 0,
  ): Promise<T> {
    const { schema } = this.queue
    if (schema === undefined) return then([...payloads])
    const results = payloads.map((payload) => schema['~standard'].validate(payload))
    if (results.every((result): result is StandardSchemaV1.Result<unknown> => !(result instanceof Promise))) {
      return then(results.map((result, i) => this.accepted(result, first + i)))
    }
    const settled = Promise.all(results.map((result) => Promise.resolve(result)))
    if (now === undefined) {
      return settled.then((all) => then(all.map((result, i) => this.accepted(result, first + i))))
    }
    settled.catch(() => undefined)
    throw new InvalidArgumentError(
      `The schema of queue ${display(this.queue.name)} validates asynchronously, and a better-sqlite3 transaction cannot ` +
        'wait for it. Use a schema that validates at once.',
    )
  }

  private accepted(result: StandardSchemaV1.Result<unknown>, index: number): unknown {
    if (result.issues === undefined) return result.value
    const said = result.issues.map((issue) => {
      const path = (issue.path ?? [])
        .map((part) => String(typeof part === 'object' ? part.key : part))
        .join('.')
      return path === '' ? issue.message : `${path}: ${issue.message}`
    })
    const which = index === 0 ? '' : ` ${index}`
    throw new PayloadError(
      `The payload${which} does not fit queue ${display(this.queue.name)}: ${said.join('; ')}`,
    )
  }

  private message(value: unknown, options: MessageOptions): NewMessage {
    const { at, id, key } = options
    if (at !== undefined && options.delay !== undefined)
      throw new InvalidArgumentError('Give delay or at, not both.')
    if (at !== undefined && !isTime(at)) {
      throw new InvalidArgumentError('at must be a valid Date between 1970 and 9999.')
    }
    if (id !== undefined && !UUID.test(id)) {
      throw new InvalidArgumentError(`${display(id)} is not an id: use a UUID in lower case (UUIDv7).`)
    }
    const conflict = options.onConflict
    if (conflict !== undefined && !['ignore', 'replace', 'reject'].includes(conflict)) {
      throw new InvalidArgumentError(
        `onConflict must be ignore, replace or reject. Got ${display(conflict)}.`,
      )
    }
    return {
      id: id ?? this.engine.random.id(),
      queue: this.queue.name,
      priority: toCount(options.priority ?? 0, 'priority', -2_147_483_648),
      delay_ms: toMs(options.delay ?? 0, 'delay'),
      at_ms: at?.getTime() ?? null,
      key: key === undefined ? null : checkKey('message', key),
      key_kept: key !== undefined && this.kind === 'workflow',
      payload: encode(value, this.limits),
    }
  }

  private within(tx: Tx | undefined): Execute | undefined {
    return tx === undefined ? undefined : this.engine.within(tx)
  }
}

function isTime(at: unknown): boolean {
  return at instanceof Date && at.getTime() >= 0 && at.getTime() <= LATEST_MS
}
