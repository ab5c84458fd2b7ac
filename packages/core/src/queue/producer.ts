import type { StandardSchemaV1 } from '@standard-schema/spec'
import { encode } from '../codec/encode.js'
import type { ValueLimits } from '../codec/limits.js'
import type { Execute, NewMessage } from '../store/records.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { ClosedError, InvalidArgumentError, PayloadError } from '../errors.js'
import { checkKey, checkKeys, display } from '../names.js'
import type { CallOptions, Engine } from '../store/engine.js'
import type { QueueDefinition } from './define-queue.js'
import { Enqueuer } from './enqueuer.js'
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
   * @throws KeyConflictError, IdConflictError
   * @throws AmbiguousCommitError when the engine could not find out whether it was committed
   */
  enqueue(payload: Input, options: EnqueueOptions<Tx> = {}): Promise<string> {
    // No await before the statement is executed: inside a synchronous SQLite transaction it must run at once.
    return this.attempt(() => {
      checkKeys(options, [...messageKeys, 'tx', 'signal'], 'enqueue')
      return this.checked([payload], (values) => {
        const message = this.message(values[0], options)
        this.limiter?.take(1, this.queue.name)
        return this.enqueuer.enqueueOne(
          message,
          this.kind,
          options.onConflict ?? 'ignore',
          options,
          this.within(options.tx),
        )
      })
    })
  }

  /**
   * Enqueues many messages, all or none, and returns their ids in the same order.
   * @throws what {@link enqueue} throws; nothing is enqueued then (with `tx`: once the transaction is rolled back)
   */
  enqueueMany(payloads: readonly Input[], options: EnqueueManyOptions<Tx, Input> = {}): Promise<string[]> {
    return this.attempt(() => {
      checkKeys(options, ['tx', 'signal', 'each'], 'enqueueMany')
      if (!Array.isArray(payloads)) {
        throw new InvalidArgumentError(`enqueueMany takes an array of payloads. Got ${display(payloads)}.`)
      }
      const { each = {} } = options
      return this.checked(payloads, (values) => {
        const messages = values.map((value, i) => {
          const one = typeof each === 'function' ? each(payloads[i] as Input, i) : each
          checkKeys(one, messageKeys, 'enqueueMany each')
          if (one.onConflict === 'replace') {
            throw new InvalidArgumentError("onConflict: 'replace' works on single messages; use enqueue.")
          }
          return {
            message: this.message(value, one),
            onConflict: one.onConflict ?? 'ignore',
            idGiven: one.id !== undefined,
          }
        })
        this.limiter?.take(messages.length, this.queue.name)
        return this.enqueuer.enqueueAll(messages, this.kind, options, this.within(options.tx))
      })
    })
  }

  /** Removes the producer from the list of workers, when it was given a name. */
  async close(): Promise<void> {
    this.closed = true
    await this.onClose()
  }

  private attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.engine.mustBeOpen('enqueue')
      if (this.closed) throw new ClosedError(`This producer of ${this.queue.name} is closed.`)
      return work()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Validates every payload by the queue's schema before anything else happens to any of them. */
  private checked<T>(payloads: readonly Input[], then: (values: unknown[]) => Promise<T>): Promise<T> {
    const { schema } = this.queue
    if (schema === undefined) return then([...payloads])
    const results = payloads.map((payload) => schema['~standard'].validate(payload))
    if (results.every((result): result is StandardSchemaV1.Result<unknown> => !(result instanceof Promise))) {
      return then(results.map((result, i) => this.accepted(result, i)))
    }
    return Promise.all(results.map((result) => Promise.resolve(result))).then((settled) =>
      then(settled.map((result, i) => this.accepted(result, i))),
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
