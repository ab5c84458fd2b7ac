import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ValueLimits } from '../codec/limits.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { SHORTEST_LEASE_MS } from '../config/settings.js'
import { InvalidArgumentError } from '../errors.js'
import { checkKeys, checkName, display } from '../names.js'
import { retryPolicy, type RetryOptions, type RetryPolicy } from '../retry.js'
import { valueLimits, type PayloadLimits } from './limits.js'
import type { HandledMessage } from './message.js'

/** How a handler is run. What is not said is taken from the queue's definition or the store's configuration. */
export interface HandlerOptions {
  /** Attempts and waits when the handler throws. Default: 5 attempts, exponential with jitter from 1 s up to 5 minutes. */
  readonly retry?: RetryOptions
  /** How long a lease holds without renewal; a running handler's lease is renewed by its worker. */
  readonly lease?: Duration
  /** Lost leases after which a message is a dead letter. */
  readonly maxCrashes?: number
  /** The handler's signal aborts when it takes longer. Default: no limit. */
  readonly timeout?: Duration
  /**
   * Whether a message stays in the database, archived with its output, when its handler has returned. `false` deletes
   * it, which costs the database about half as much. Dead letters and cancelled messages are kept in either case.
   * Default: true.
   */
  readonly keep?: boolean
}

/** Options of a queue. */
export interface QueueOptions<Schema> extends HandlerOptions {
  /** Validates payloads when they are enqueued: any Standard Schema (zod, valibot, arktype, …). */
  readonly payload?: Schema
  readonly limits?: PayloadLimits
}

/** What the worker needs to know of how to run something. Spans are in milliseconds. */
export interface HandlingPolicy {
  readonly retry: RetryPolicy
  readonly leaseMs: number | undefined
  readonly maxCrashes: number | undefined
  readonly timeoutMs: number | undefined
  /** Whether what has succeeded is archived; otherwise it is deleted. */
  readonly keep: boolean
}

/** Called for each message; when it returns, the message is archived with the value as its output, or deleted (`keep`). */
export type MessageHandler<Payload> = (
  message: HandledMessage<Payload>,
  context: { readonly signal: AbortSignal },
) => unknown

/** A queue's handler, to be given to `store.worker([...])`. */
export interface QueueHandler {
  readonly kind: 'queue-handler'
  /** Name of the queue. */
  readonly queue: string
  readonly handle: MessageHandler<never>
  readonly policy: HandlingPolicy
}

/** A named queue and what its messages look like. `Input` is what is enqueued, `Payload` what handlers get. */
export interface QueueDefinition<Input = unknown, Payload = unknown> {
  readonly kind: 'queue'
  readonly name: string
  readonly schema: StandardSchemaV1 | undefined
  readonly limits: ValueLimits
  readonly policy: HandlingPolicy
  /** Binds a handler. */
  handler(handle: MessageHandler<Payload>, options?: HandlerOptions): QueueHandler
  /** Never set; carries the type of what is enqueued. */
  readonly input?: (input: Input) => void
}

const handlerKeys = ['retry', 'lease', 'maxCrashes', 'timeout', 'keep']

/** Checks handler options over a policy they refine. */
export function handlingPolicy(
  options: HandlerOptions,
  base: Partial<HandlingPolicy>,
  retryDefaults: { maxAttempts: number; maxDelay: Duration },
): HandlingPolicy {
  const { retry, lease, maxCrashes, timeout, keep } = options
  if (keep !== undefined && typeof keep !== 'boolean')
    throw new InvalidArgumentError(`keep must be true or false. Got ${display(keep)}.`)
  return {
    retry: retry === undefined && base.retry !== undefined ? base.retry : retryPolicy(retry, retryDefaults),
    leaseMs: lease === undefined ? base.leaseMs : toMs(lease, 'lease', SHORTEST_LEASE_MS),
    maxCrashes: maxCrashes === undefined ? base.maxCrashes : toCount(maxCrashes, 'maxCrashes'),
    timeoutMs: timeout === undefined ? base.timeoutMs : toMs(timeout, 'timeout', 1),
    keep: keep ?? base.keep ?? true,
  }
}

const retryDefaults = { maxAttempts: 5, maxDelay: '5m' }

/**
 * Defines a queue. Nothing is created in the database until a producer, consumer or worker uses it.
 *
 * ```ts
 * const emails = defineQueue('emails', { payload: z.object({ to: z.string() }) })
 * const images = defineQueue<{ url: string }>('images')
 * ```
 * @throws InvalidArgumentError
 */
export function defineQueue<Schema extends StandardSchemaV1>(
  name: string,
  options: QueueOptions<Schema> & { readonly payload: Schema },
): QueueDefinition<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>
export function defineQueue<Payload = unknown>(
  name: string,
  options?: QueueOptions<undefined>,
): QueueDefinition<Payload, Payload>
export function defineQueue(
  name: string,
  options: QueueOptions<StandardSchemaV1 | undefined> = {},
): QueueDefinition {
  checkName('queue', name)
  checkKeys(options, ['payload', 'limits', ...handlerKeys], `queue ${name}`)
  checkSchemaOf(name, options.payload)
  const policy = handlingPolicy(options, {}, retryDefaults)
  const queue: QueueDefinition = {
    kind: 'queue',
    name,
    schema: options.payload,
    limits: valueLimits(options.limits),
    policy,
    handler(handle, handlerOptions = {}) {
      if (typeof handle !== 'function')
        throw new InvalidArgumentError(`The handler of queue ${name} must be a function.`)
      checkKeys(handlerOptions, handlerKeys, `handler of queue ${name}`)
      return {
        kind: 'queue-handler',
        queue: name,
        handle,
        policy: handlingPolicy(handlerOptions, policy, retryDefaults),
      }
    },
  }
  return queue
}

type MaybeSchema = { readonly '~standard'?: { readonly validate?: unknown } } | null | undefined

// An object or, in some libraries, a function.
function checkSchemaOf(name: string, schema: MaybeSchema): void {
  if (schema === undefined || typeof schema?.['~standard']?.validate === 'function') return
  throw new InvalidArgumentError(
    `The schema of ${name} must be a Standard Schema (zod, valibot, arktype, …). Got ${display(schema)}.`,
  )
}
