import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { ErrorClass } from '../codec/error-record.js'
import { InvalidArgumentError } from '../errors.js'
import { checkKeys, checkName } from '../names.js'
import {
  defineQueue,
  handlingPolicy,
  type HandlerOptions,
  type HandlingPolicy,
  type QueueDefinition,
} from '../queue/define-queue.js'
import type { PayloadLimits } from '../queue/limits.js'
import { retryPolicy, type RetryOptions, type RetryPolicy } from '../retry.js'
import type { DriverTransaction } from '../transaction/types.js'
import type { Run } from './run.js'

/**
 * Options of a workflow. There is no `timeout`: steps have one, and a run may take years. And no `keep`: a run's result
 * can be asked for when it has finished.
 */
export interface WorkflowOptions<Schema = StandardSchemaV1 | undefined> extends Omit<
  HandlerOptions,
  'timeout' | 'keep'
> {
  /** Validates the input when a run is triggered: any Standard Schema. */
  readonly input?: Schema
  /** Limits of the input, and of what steps and the run return. */
  readonly limits?: PayloadLimits
  /** How steps are retried that do not say it themselves. Default: 3 attempts, exponential with jitter from 1 s up to 1 minute. */
  readonly stepRetry?: RetryOptions
  /** Error classes of the application that steps throw: replayed errors are instances of them again. */
  readonly errors?: readonly ErrorClass[]
}

/** The body of a workflow: ordinary async code whose effects stand in named steps. */
export type WorkflowFunction<Input, Output, Tx> = (run: Run<Tx>, input: Input) => Output | Promise<Output>

/** A workflow: a name and a body. Runs of it are messages on the queue of that name. */
export interface WorkflowDefinition<
  Input = unknown,
  Output = unknown,
  Tx = DriverTransaction,
  Parsed = Input,
> {
  readonly kind: 'workflow'
  readonly name: string
  readonly queue: QueueDefinition<Input>
  readonly body: WorkflowFunction<Parsed, Output, Tx>
  readonly policy: HandlingPolicy
  readonly stepRetry: RetryPolicy
  readonly errors: readonly ErrorClass[]
}

const keys = ['input', 'limits', 'stepRetry', 'errors', 'retry', 'lease', 'maxCrashes']

// Most failures are a step's, and steps have retries of their own: what still throws is usually a bug.
const retryDefaults = { maxAttempts: 1, maxDelay: '5m' }
const stepRetryDefaults = { maxAttempts: 3, maxDelay: '1m' }

/**
 * Defines a workflow.
 *
 * ```ts
 * const greet = defineWorkflow('greet', async (run, input: { name: string }) => {
 *   const text = await run.step('compose', () => `Hello ${input.name}`)
 *   await run.sleep('pause', '1h')
 *   return { text }
 * })
 * ```
 * @throws InvalidArgumentError
 */
export function defineWorkflow<Input = undefined, Output = unknown, Tx = DriverTransaction>(
  name: string,
  body: WorkflowFunction<Input, Output, Tx>,
): WorkflowDefinition<Input, Output, Tx>
export function defineWorkflow<Schema extends StandardSchemaV1, Output = unknown, Tx = DriverTransaction>(
  name: string,
  options: WorkflowOptions<Schema> & { readonly input: Schema },
  body: WorkflowFunction<StandardSchemaV1.InferOutput<Schema>, Output, Tx>,
): WorkflowDefinition<StandardSchemaV1.InferInput<Schema>, Output, Tx, StandardSchemaV1.InferOutput<Schema>>
export function defineWorkflow<Input = undefined, Output = unknown, Tx = DriverTransaction>(
  name: string,
  options: WorkflowOptions<undefined>,
  body: WorkflowFunction<Input, Output, Tx>,
): WorkflowDefinition<Input, Output, Tx>
export function defineWorkflow(
  name: string,
  optionsOrBody: WorkflowOptions | WorkflowFunction<never, unknown, never>,
  bodyAfterOptions?: WorkflowFunction<never, unknown, never>,
): unknown {
  checkName('workflow', name)
  const options = typeof optionsOrBody === 'function' ? {} : optionsOrBody
  const body = typeof optionsOrBody === 'function' ? optionsOrBody : bodyAfterOptions
  if (typeof body !== 'function')
    throw new InvalidArgumentError(`The body of workflow ${name} must be a function.`)
  checkKeys(options, keys, `workflow ${name}`)
  const { input, limits, stepRetry, errors = [], ...handling } = options
  if (!Array.isArray(errors) || !errors.every((one) => typeof one === 'function')) {
    throw new InvalidArgumentError(`workflow ${name}: errors must be a list of error classes.`)
  }
  const queueOptions = limits === undefined ? {} : { limits }
  const queue: QueueDefinition<never> =
    input === undefined
      ? defineQueue<never>(name, queueOptions)
      : defineQueue<StandardSchemaV1<never, never>>(name, {
          payload: input as StandardSchemaV1<never, never>,
          ...queueOptions,
        })
  const definition: WorkflowDefinition<never, unknown, never, never> = {
    kind: 'workflow',
    name,
    queue,
    body,
    policy: handlingPolicy(handling, {}, retryDefaults),
    stepRetry: retryPolicy(stepRetry, stepRetryDefaults),
    errors,
  }
  return definition
}
