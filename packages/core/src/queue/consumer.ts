import { encodeError } from '../codec/error-record.js'
import { SHORTEST_LEASE_MS } from '../config/settings.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { ClosedError, LeaseLostError } from '../errors.js'
import { checkKeys, checkName } from '../names.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { Registration } from '../store/registration.js'
import { Claimer } from './claimer.js'
import type { QueueDefinition } from './define-queue.js'
import { LeasedMessage } from './message.js'

/** Options of a consumer. */
export interface ConsumerOptions {
  /** Name in the list of workers. Default: `consumer of <queue>`. */
  readonly name?: string
}

/** Options of one dequeue. */
export interface DequeueOptions extends CallOptions {
  /** At most so many messages. Default: the configured batch size (10). */
  readonly limit?: number
  /** How long the leases hold. Default: the queue's, then the configured one (30 s). */
  readonly lease?: Duration
}

/** What a batch call did: ids that it ended or prolonged, and ids whose lease was lost before. */
export interface BatchResult {
  readonly done: readonly string[]
  readonly lost: readonly string[]
}

/** Claims messages of one queue by hand. Registers itself among the workers with the first dequeue. */
export class Consumer<Payload> {
  private readonly claimer: Claimer
  private readonly registration: Registration
  private readonly forget: () => void
  private closed = false

  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly queue: QueueDefinition<never, Payload>,
    options: ConsumerOptions = {},
  ) {
    checkKeys(options, ['name'], `consumer of ${queue.name}`)
    const name =
      options.name === undefined
        ? `consumer-of-${queue.name}`.slice(0, 200)
        : checkName('worker', options.name)
    this.registration = new Registration(engine, { name, queues: [queue.name] }, engine.config.heartbeatMs)
    this.claimer = new Claimer(engine, () => this.registration.id)
    this.forget = engine.onClose(() => this.close())
  }

  /** Id of this consumer among the workers. */
  get workerId(): string {
    return this.registration.id
  }

  /** Takes leases on due messages; an empty array when there are none, or the queue or this consumer is suspended. */
  async dequeue(options: DequeueOptions = {}): Promise<LeasedMessage<Payload>[]> {
    checkKeys(options, ['limit', 'lease', 'signal'], 'dequeue')
    const limit = toCount(options.limit ?? this.engine.config.batchSize, 'limit', 1, 10_000)
    const { policy, name } = this.queue
    const leaseMs =
      options.lease === undefined
        ? (policy.leaseMs ?? this.engine.config.leaseMs)
        : toMs(options.lease, 'lease', SHORTEST_LEASE_MS)
    if (this.closed) throw new ClosedError(`This consumer of ${name} is closed.`)
    await this.engine.knowQueue(name, 'queue')
    await this.registration.ensure()
    if (this.registration.state === 'suspended' || this.registration.state === 'stopped') return []
    const from = { queue: name, leaseMs, maxCrashes: policy.maxCrashes ?? this.engine.config.maxCrashes }
    const claimed = await this.claimer.claim([from], limit, options)
    return claimed.map(({ row, lease }) => new LeasedMessage<Payload>(row, lease))
  }

  /** Archives many messages in as few statements as possible. */
  archiveMany(messages: readonly LeasedMessage<Payload>[]): Promise<BatchResult> {
    return each(messages, (message) => message.archive())
  }

  /** Deletes many messages. */
  deleteMany(messages: readonly LeasedMessage<Payload>[]): Promise<BatchResult> {
    return each(messages, (message) => message.delete())
  }

  /** Gives many messages back. */
  releaseMany(
    messages: readonly LeasedMessage<Payload>[],
    options: { readonly delay?: Duration } = {},
  ): Promise<BatchResult> {
    return each(messages, (message) => message.release(options))
  }

  /** Prolongs many leases. */
  extendMany(messages: readonly LeasedMessage<Payload>[], lease: Duration): Promise<BatchResult> {
    return each(messages, (message) => message.extend(lease))
  }

  /** Finishes many messages as dead letters. */
  failMany(messages: readonly LeasedMessage<Payload>[], error: unknown): Promise<BatchResult> {
    const encoded = encodeError(error)
    return each(messages, (message) =>
      message.lease.finish({ status: 'error', output: null, error: encoded, failed: 1 }),
    )
  }

  /** Stops the heartbeat and leaves the list of workers. Messages still held keep their leases until they lapse. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.forget()
    await this.registration.stop()
  }
}

/** Side by side, so that group commit puts them into one statement. */
async function each<Payload>(
  messages: readonly LeasedMessage<Payload>[],
  work: (message: LeasedMessage<Payload>) => Promise<unknown>,
): Promise<BatchResult> {
  const outcomes = await Promise.allSettled(messages.map(work))
  const result = { done: [] as string[], lost: [] as string[] }
  outcomes.forEach((outcome, i) => {
    const id = messages[i]?.id ?? ''
    if (outcome.status === 'fulfilled') result.done.push(id)
    else if (outcome.reason instanceof LeaseLostError) result.lost.push(id)
    else throw outcome.reason
  })
  return result
}
