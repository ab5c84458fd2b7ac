import { InvalidArgumentError } from '../errors.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { checkKeys, display } from '../names.js'
import { refinedPolicy, type RetryOptions } from '../retry.js'
import type { DriverTransaction } from '../transaction/types.js'
import type { StepPlan } from './boundary.js'
import type { Execution } from './execution.js'
import type { Scope } from './scope.js'
import { inParallel } from './parallel.js'

/** What the body of a step gets. */
export interface StepContext {
  /** Aborts when the run is cancelled, its lease is lost, its worker stops, or the step takes too long. */
  readonly signal: AbortSignal
  /** 1 for the first attempt. */
  readonly attempt: number
  /** The same for every attempt of this step: hand it to services that can recognise a repeated request. */
  readonly idempotencyKey: string
}

/** Options of a step. */
export interface StepOptions {
  /** What is not said is as in the workflow's `stepRetry`. */
  readonly retry?: RetryOptions
  /** An attempt that takes longer fails with a TimeoutError. Default: no limit. */
  readonly timeout?: Duration
  /** Tells steps of one name apart that are in flight side by side. */
  readonly key?: string
}

/** Options of a transactional step. */
export interface TransactionOptions {
  readonly retry?: RetryOptions
  /** Rolled back when it takes longer. Default 5 s on SQLite and libSQL, where it holds the only write lock; 60 s on Postgres. */
  readonly timeout?: Duration
  readonly key?: string
}

/** What came of a pause. */
export type Resumed<T = unknown> = { readonly resumed: true; readonly value: T } | { readonly resumed: false }

/**
 * One execution of a workflow, as its body sees it. Every effect stands in a named boundary; what a boundary returned
 * is recorded, and a repeated execution gets the recorded value without running it again.
 *
 * What a boundary returns is always a copy made from what was recorded, so that the first execution and a replay see
 * the same.
 */
export class Run<Tx = DriverTransaction> {
  /** @internal */
  constructor(
    private readonly execution: Execution,
    private readonly scope: Scope,
  ) {}

  /** Id of the run. */
  get id(): string {
    return this.execution.id
  }

  /** Name of the workflow. */
  get workflow(): string {
    return this.execution.queue
  }

  /** Aborts when the run is cancelled, its lease is lost, or its worker stops. */
  get signal(): AbortSignal {
    return this.execution.signal
  }

  /**
   * Runs `body` at least once and records its first result for ever.
   * @throws what the body threw when its attempts are used up: the same class, name, message and code in every replay
   * @throws DuplicateStepError when a step of that name is in flight and no `key` tells them apart
   */
  step<T>(name: string, body: (context: StepContext) => T | Promise<T>): Promise<T>
  step<T>(name: string, options: StepOptions, body: (context: StepContext) => T | Promise<T>): Promise<T>
  step<T>(
    name: string,
    optionsOrBody: StepOptions | ((context: StepContext) => T | Promise<T>),
    bodyAfterOptions?: (context: StepContext) => T | Promise<T>,
  ): Promise<T> {
    return awaitable(async () => {
      const { options, body } = optionsAndBody<StepOptions, (context: StepContext) => T | Promise<T>>(
        optionsOrBody,
        bodyAfterOptions,
        `step ${display(name)}`,
        ['retry', 'timeout', 'key'],
      )
      const plan = this.plan(options, undefined)
      return (await this.execution.step(this.scope, name, plan, body)) as T
    })
  }

  /**
   * Runs `body` and commits what it writes through `tx` together with the record of its result: visible exactly once,
   * whatever fails. The body may run more than once, its effects in the database appear once.
   */
  transaction<T>(name: string, body: (tx: Tx) => T | Promise<T>): Promise<T>
  transaction<T>(name: string, options: TransactionOptions, body: (tx: Tx) => T | Promise<T>): Promise<T>
  transaction<T>(
    name: string,
    optionsOrBody: TransactionOptions | ((tx: Tx) => T | Promise<T>),
    bodyAfterOptions?: (tx: Tx) => T | Promise<T>,
  ): Promise<T> {
    return awaitable(async () => {
      const { options, body } = optionsAndBody<TransactionOptions, (tx: Tx) => T | Promise<T>>(
        optionsOrBody,
        bodyAfterOptions,
        `transaction ${display(name)}`,
        ['retry', 'timeout', 'key'],
      )
      const plan = this.plan(options, this.execution.transactionLimitMs)
      const work = body as (tx: unknown) => T | Promise<T>
      return (await this.execution.transaction(this.scope, name, plan, work)) as T
    })
  }

  /**
   * Runs `body` for each item, in parallel, each with a `run` of its own scope: the steps of one item never meet those
   * of another, and a replay finds each where it was. Returns the results in the order of the items.
   */
  map<Item, T>(
    name: string,
    items: readonly Item[],
    body: (item: Item, run: Run<Tx>, index: number) => T | Promise<T>,
    options: { readonly concurrency?: number } = {},
  ): Promise<T[]> {
    return awaitable(() => this.mapItems(name, items, body, options))
  }

  private async mapItems<Item, T>(
    name: string,
    items: readonly Item[],
    body: (item: Item, run: Run<Tx>, index: number) => T | Promise<T>,
    options: { readonly concurrency?: number },
  ): Promise<T[]> {
    checkKeys(options, ['concurrency'], `map ${display(name)}`)
    const given: unknown = items
    if (!Array.isArray(given) || typeof body !== 'function') {
      throw new InvalidArgumentError(
        `map ${display(name)} takes an array of items and a function for each of them.`,
      )
    }
    const concurrency = toCount(options.concurrency ?? 10, 'concurrency')
    const { name: path, leave } = this.scope.enter(name, undefined)
    try {
      return await inParallel(items, concurrency, (item, index) => {
        const scope = this.execution.openScope(`${path}[${index}]`)
        return body(item, new Run<Tx>(this.execution, scope), index)
      })
    } catch (error) {
      // What had begun when an item failed need not begin in a replay, where the failure comes sooner.
      this.execution.history.excuse(`${path}[`)
      throw error
    } finally {
      leave()
    }
  }

  /** Waits for a span of time, however long, without holding a worker. Never shorter by the database's clock. */
  sleep(name: string, span: Duration): Promise<void> {
    return awaitable(() => this.execution.sleep(this.scope, name, { inMs: toMs(span, 'sleep') }))
  }

  /** Waits until a point in time by the database's clock. */
  sleepUntil(name: string, time: Date): Promise<void> {
    return awaitable(() => {
      const atMs = (time as unknown) instanceof Date ? time.getTime() : Number.NaN
      if (!(atMs >= 0)) throw new InvalidArgumentError('sleepUntil needs a valid Date after 1970.')
      return this.execution.sleep(this.scope, name, { atMs })
    })
  }

  /**
   * Waits until somebody calls `handle.resume(name, value)`, or until the time is over, without holding a worker. A
   * resume that comes before the code gets here is kept.
   */
  pause<T = unknown>(name: string, options: { readonly timeout?: Duration } = {}): Promise<Resumed<T>> {
    return awaitable(async () => {
      checkKeys(options, ['timeout'], `pause ${display(name)}`)
      const timeoutMs = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
      return (await this.execution.pause(this.scope, name, timeoutMs)) as Resumed<T>
    })
  }

  private plan(options: StepOptions, limitMs: number | undefined): StepPlan {
    const base = this.execution.stepRetry
    return {
      retry: options.retry === undefined ? base : refinedPolicy(options.retry, base),
      timeoutMs: options.timeout === undefined ? limitMs : toMs(options.timeout, 'timeout', 1),
      key: options.key,
    }
  }
}

/**
 * Code may begin a step and await it later, or never when another one threw meanwhile. That must not end the process
 * as an unhandled rejection: the error is recorded, and whoever awaits the promise gets it.
 */
function awaitable<T>(work: () => Promise<T>): Promise<T> {
  const begin = async (): Promise<T> => work()
  const promise = begin()
  promise.catch(() => undefined)
  return promise
}

function optionsAndBody<Options extends object, Body>(
  optionsOrBody: Options | Body,
  bodyAfterOptions: Body | undefined,
  what: string,
  keys: readonly string[],
): { options: Options; body: Body } {
  const body = typeof optionsOrBody === 'function' ? optionsOrBody : bodyAfterOptions
  if (typeof body !== 'function') throw new InvalidArgumentError(`The body of ${what} must be a function.`)
  const options = typeof optionsOrBody === 'function' ? ({} as Options) : (optionsOrBody as Options)
  checkKeys(options, keys, what)
  return { options, body: body }
}
