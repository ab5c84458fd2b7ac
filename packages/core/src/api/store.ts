import { Admin } from '../admin/admin.js'
import { InvalidArgumentError } from '../errors.js'
import { checkKeys, checkName, display } from '../names.js'
import { Consumer, type ConsumerOptions } from '../queue/consumer.js'
import { defineQueue, type QueueDefinition, type QueueHandler } from '../queue/define-queue.js'
import { Producer, type EnqueueOptions, type ProducerOptions } from '../queue/producer.js'
import type { Engine } from '../store/engine.js'
import { Registration } from '../store/registration.js'
import { withinNow } from '../store/within-now.js'
import type { TransactionAdapter } from '../transaction/adapter.js'
import type { DriverTransaction } from '../transaction/types.js'
import { QueueTask } from '../worker/queue-task.js'
import type { Task } from '../worker/task.js'
import { Worker, type WorkerOptions } from '../worker/worker.js'
import type { WorkflowDefinition } from '../workflow/define-workflow.js'
import { Outcomes } from '../workflow/outcomes.js'
import { RunHandle } from '../workflow/run-handle.js'
import { WorkflowTask, type AnyWorkflow } from '../workflow/workflow-task.js'

/** Options of `store.trigger()`. */
export interface TriggerOptions<Tx = unknown> extends Omit<EnqueueOptions<Tx>, 'onConflict'> {
  /**
   * At most one run of the workflow has this key, for as long as that run is kept: triggering again with the same
   * input returns the run that is there, finished or not. Another input is a `KeyConflictError`.
   */
  readonly key?: string
}

/** What a worker of this store can be given. */
export type Runnable<Tx> = AnyWorkflow<Tx> | QueueHandler

/**
 * A connection to a database with pgqrs in it: the handle everything begins with.
 * @typeParam Tx the transaction of the driver
 */
export class Store<Tx = DriverTransaction> {
  readonly admin: Admin
  private readonly outcomes: Outcomes

  /** @internal */
  constructor(private readonly engine: Engine) {
    this.admin = new Admin(engine)
    this.outcomes = new Outcomes(engine)
  }

  /** Name of the driver: `postgres`, `sqlite` or `turso`. */
  get driver(): string {
    return this.engine.driver.name
  }

  /** Where this store leads, without secrets. */
  get target(): string {
    return this.engine.driver.target
  }

  /** A handle that enqueues messages. A name alone stands for a queue without a schema. */
  producer<Input>(
    queue: QueueDefinition<Input, unknown> | string,
    options: ProducerOptions = {},
  ): Producer<Input, Tx | TransactionAdapter> {
    this.engine.mustBeOpen('producer')
    mustBeQueue(queue, 'producer')
    const definition: QueueDefinition<Input, unknown> =
      typeof queue === 'string' ? defineQueue<Input>(queue) : queue
    if (options.name === undefined) return new Producer(this.engine, definition, options)
    const registration = new Registration(
      this.engine,
      { name: checkName('worker', options.name), queues: [definition.name] },
      this.engine.config.heartbeatMs,
    )
    // Not being listed is no reason not to enqueue; the first call that reaches the database says what is wrong.
    registration.ensure().catch(() => undefined)
    const forget = this.engine.onClose(() => registration.stop())
    return new Producer(this.engine, definition, options, 'queue', async () => {
      forget()
      await registration.stop()
    })
  }

  /** A handle that claims messages by hand. */
  consumer<Payload>(
    queue: QueueDefinition<never, Payload> | string,
    options: ConsumerOptions = {},
  ): Consumer<Payload> {
    this.engine.mustBeOpen('consumer')
    mustBeQueue(queue, 'consumer')
    const definition: QueueDefinition<never, Payload> =
      typeof queue === 'string' ? defineQueue<Payload>(queue) : queue
    return new Consumer(this.engine, definition, options)
  }

  /**
   * A worker for workflows and queue handlers: one loop, one budget of concurrency. It does nothing until `start()`.
   * @throws InvalidArgumentError when there is nothing to do or two of them have the same name
   */
  worker(runnables: readonly Runnable<Tx>[], options: WorkerOptions = {}): Worker {
    this.engine.mustBeOpen('worker')
    const given: unknown = runnables
    if (!Array.isArray(given)) {
      throw new InvalidArgumentError(
        `worker takes an array of workflows and queue handlers. Got ${display(runnables)}.`,
      )
    }
    const tasks = new Map<string, Task>()
    for (const runnable of runnables) {
      const task = this.task(runnable)
      if (tasks.has(task.queue)) {
        throw new InvalidArgumentError(
          `Two handlers are given for ${display(task.queue)}. A name has one handler in a worker.`,
        )
      }
      tasks.set(task.queue, task)
    }
    return new Worker(this.engine, tasks, options)
  }

  private task(runnable: Runnable<Tx>): Task {
    switch ((runnable as { kind?: unknown } | undefined)?.kind) {
      case 'workflow':
        return new WorkflowTask(this.engine, runnable as AnyWorkflow)
      case 'queue-handler':
        return new QueueTask(this.engine, runnable as QueueHandler)
      default:
        throw new InvalidArgumentError(
          'A worker takes workflows (defineWorkflow) and queue handlers (queue.handler(…)).',
        )
    }
  }

  /**
   * Creates a run. When the promise resolves, the run is committed (with `tx`: will be with the transaction).
   * @throws PayloadError, SerializationError, InvalidArgumentError before any I/O
   * @throws KeyConflictError, IdConflictError, AmbiguousCommitError
   */
  trigger<Input, Output>(
    workflow: WorkflowDefinition<Input, Output, never, never>,
    ...[input, options]: undefined extends Input
      ? [input?: Input, options?: TriggerOptions<Tx | TransactionAdapter>]
      : [input: Input, options?: TriggerOptions<Tx | TransactionAdapter>]
  ): Promise<RunHandle<Output>> {
    const given = options ?? {}
    try {
      checkKeys(given, ['delay', 'at', 'priority', 'key', 'id', 'tx', 'signal'], 'trigger')
      mustBeWorkflow(workflow, 'trigger')
    } catch (error) {
      // As Producer.enqueue: only what is thrown rolls a synchronous transaction back.
      if (withinNow(this.engine.driver, given.tx) !== undefined) throw error
      return Promise.reject(error)
    }
    const producer = new Producer<Input, Tx | TransactionAdapter>(this.engine, workflow.queue, {}, 'workflow')
    return producer.enqueue(input as Input, given).then((id) => this.run(workflow, id))
  }

  /** A handle on a run that was triggered before, by id. Looks at nothing until it is used. */
  run<Output>(
    workflow: WorkflowDefinition<never, Output, never, never> | string,
    id: string,
  ): RunHandle<Output> {
    if (typeof workflow === 'string') {
      return new RunHandle<Output>(this.engine, this.outcomes, id, checkName('workflow', workflow), [])
    }
    mustBeWorkflow(workflow, 'run')
    return new RunHandle<Output>(this.engine, this.outcomes, id, workflow.name, workflow.errors)
  }

  /** Stops this store's workers and consumers, lets what was accepted finish, and releases everything it opened. */
  async close(): Promise<void> {
    await this.engine.close()
  }

  /** For `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Shows where the store leads and no secrets. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Store(${this.driver}: ${this.target})`
  }
}

function mustBeQueue(queue: unknown, what: string): void {
  if (typeof queue === 'string' || (queue as { kind?: unknown } | null | undefined)?.kind === 'queue') return
  throw new InvalidArgumentError(`${what} takes a queue (defineQueue) or its name. Got ${display(queue)}.`)
}

function mustBeWorkflow(workflow: unknown, what: string): void {
  if ((workflow as { kind?: unknown } | null | undefined)?.kind === 'workflow') return
  throw new InvalidArgumentError(
    `${what} takes a workflow (defineWorkflow) as its first argument. Got ${display(workflow)}.`,
  )
}
