import { connect } from '../api/connect.js'
import type { StoreOptions } from '../api/open-store.js'
import type { Runnable, Store } from '../api/store.js'
import { encode } from '../codec/encode.js'
import type { Driver } from '../db/driver.js'
import { RunFailedError, TimeoutError } from '../errors.js'
import { checkKeys, display } from '../names.js'
import type { DriverTransaction } from '../transaction/types.js'
import type { WorkflowDefinition } from '../workflow/define-workflow.js'
import type { Run } from '../workflow/run.js'
import type { RunHandle } from '../workflow/run-handle.js'
import { CrashWatch, watchedRun, type CrashPoint } from './crash-points.js'
import { never, type MortalProcess } from './mortal-process.js'
import { SuccessiveProcesses } from './successive-processes.js'
import { TestClock } from './test-clock.js'

/** Options of {@link crashAtEveryBoundary}. */
export interface CrashTestOptions<Tx = DriverTransaction> {
  /**
   * Opens a new, empty database and passes the options on to `connect`. Called once for each crash. Default: a database
   * in memory through `@pgqrs/sqlite`.
   */
  readonly connect?: (options: StoreOptions) => Promise<Store<Tx>>
  /** Called with each new database before the run is triggered: to create the application's tables, for instance. */
  readonly prepare?: (store: Store<Tx>) => unknown
  /** What else the worker is to run: queues and workflows the run makes use of. */
  readonly runnables?: readonly Runnable<Tx>[]
  /** Ends the pauses of these names, with these values. */
  readonly resume?: Readonly<Record<string, unknown>>
  /**
   * The steps whose bodies may run twice, because what they do outside of the database does no harm when it happens
   * again. When it is given, a body that runs twice and is not named here is a failure.
   */
  readonly repeatable?: readonly string[]
  /** What the run has done to the world so far. After each crash it must be what it is without one. */
  readonly effects?: () => unknown
}

/** A step whose body ran more often than without a crash. */
export interface RepeatedBody {
  readonly step: string
  /** The writes of a transaction are there once all the same. */
  readonly kind: 'step' | 'transaction'
  /** The crashes that made it so. */
  readonly after: readonly CrashPoint[]
}

/** What came of {@link crashAtEveryBoundary}. */
export interface CrashReport<Output> {
  /** What the run returned, each time; undefined when it failed. */
  readonly output: Output
  /** What the run failed with, each time; undefined when it returned. */
  readonly error: unknown
  /** Each point at which the process died, once. */
  readonly crashes: readonly CrashPoint[]
  /** The steps whose bodies ran twice in one run. */
  readonly repeated: readonly RepeatedBody[]
}

/** A crash made a difference. */
export class CrashTestError extends Error {
  override readonly name = 'CrashTestError'

  constructor(
    message: string,
    /** Where the process had died; undefined when the run without a crash is at fault. */
    readonly crash: CrashPoint | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** What one run came to. */
interface Course<Output> {
  /** The output, or the error, as text. */
  readonly outcome: string
  readonly output: Output | undefined
  readonly error: unknown
  readonly effects: string
  readonly watch: CrashWatch
}

const optionKeys = ['connect', 'prepare', 'runnables', 'resume', 'repeatable', 'effects']

/**
 * Runs a workflow once without a crash, and then once for each point between its boundaries with a process that dies
 * there and another one that takes over: before and after the body of each step, after its checkpoint, in and after each
 * transaction, around each wait, before and after the completion. Time is virtual: leases and sleeps take none.
 *
 * ```ts
 * const report = await crashAtEveryBoundary(checkout, { order: 7 }, { effects: () => mails.length })
 * assert.deepEqual(report.repeated.map(({ step }) => step), ['charge'])
 * ```
 * @returns what the run returned, where it was made to crash, and which bodies ran twice
 * @throws CrashTestError when a crash changed what the run returns or does
 */
export async function crashAtEveryBoundary<Input, Output, Tx = DriverTransaction>(
  workflow: WorkflowDefinition<Input, Output, Tx, never>,
  input: Input,
  options: CrashTestOptions<Tx> = {},
): Promise<CrashReport<Output>> {
  checkKeys(options, optionKeys, 'crashAtEveryBoundary')
  const clean = await course(workflow, input, options, undefined)
  mustHavePaused(Object.keys(options.resume ?? {}), clean.watch)
  const crashes = clean.watch.points
  const repeated = new Map<string, CrashPoint[]>()
  for (const crash of crashes) {
    const crashed = await course(workflow, input, options, crash)
    compare(clean, crashed, crash)
    for (const [step, times] of crashed.watch.bodies) {
      if (times <= (clean.watch.bodies.get(step) ?? 0)) continue
      mustBeRepeatable(step, crash, clean.watch, options.repeatable)
      repeated.set(step, [...(repeated.get(step) ?? []), crash])
    }
  }
  return {
    output: clean.output as Output,
    error: clean.error,
    crashes,
    repeated: [...repeated].map(([step, after]) => ({ step, kind: kindOf(step, clean.watch), after })),
  }
}

/** A name with a typing mistake would leave its pause to run out of time, unnoticed. */
function mustHavePaused(names: readonly string[], { pauses }: CrashWatch): void {
  const strange = names.find((name) => !pauses.has(name))
  if (strange === undefined) return
  const found = [...pauses].map(display).join(', ')
  throw new CrashTestError(
    `resume names ${display(strange)}, but the run came by no such pause. It came by ${found === '' ? 'none' : found}.`,
    undefined,
  )
}

function kindOf(step: string, watch: CrashWatch): RepeatedBody['kind'] {
  return watch.transactions.has(step) ? 'transaction' : 'step'
}

function compare(clean: Course<unknown>, crashed: Course<unknown>, crash: CrashPoint): void {
  if (!crashed.watch.died) {
    throw new CrashTestError(
      `A second run did not come by the same point (${crash}): the workflow takes another way each time.`,
      crash,
    )
  }
  if (crashed.outcome !== clean.outcome) {
    throw new CrashTestError(
      `The run ended otherwise after a crash ${crash}.\n  without it: ${clean.outcome}\n  with it:    ${crashed.outcome}`,
      crash,
    )
  }
  if (crashed.effects !== clean.effects) {
    throw new CrashTestError(
      `The run had other effects after a crash ${crash}.\n  without it: ${clean.effects}\n  with it:    ${crashed.effects}\n` +
        'Put the effect into a transaction, or hand the idempotencyKey of its step on.',
      crash,
    )
  }
}

function mustBeRepeatable(
  step: string,
  crash: CrashPoint,
  watch: CrashWatch,
  repeatable: readonly string[] | undefined,
): void {
  if (repeatable === undefined || kindOf(step, watch) === 'transaction' || repeatable.includes(step)) return
  throw new CrashTestError(
    `The body of step ${step} ran twice after a crash ${crash}, and repeatable does not name it.`,
    crash,
  )
}

/** One run in a database of its own, with a process that dies at one point, or nowhere. */
async function course<Input, Output, Tx>(
  workflow: WorkflowDefinition<Input, Output, Tx, never>,
  input: Input,
  options: CrashTestOptions<Tx>,
  diesAt: CrashPoint | undefined,
): Promise<Course<Output>> {
  const watch = new CrashWatch(diesAt)
  const clock = new TestClock()
  const drivers: Driver<Tx>[] = []
  const keep = (inner: Driver): Driver => {
    drivers.push(inner)
    return inner
  }
  const opened = await (options.connect ?? inMemory<Tx>)({ clock, wrapDriver: keep })
  const [driver] = drivers
  if (driver === undefined) {
    await opened.close()
    throw new CrashTestError('connect has to pass its options on: connect({ dsn, ...options }).', undefined)
  }
  const processes = new SuccessiveProcesses<Tx>(opened, driver, clock, watch, (process) => [
    mortal(workflow, process, watch),
    ...(options.runnables ?? []),
  ])
  try {
    await opened.admin.install()
    await options.prepare?.(opened)
    const handle = await opened.trigger<Input, Output>(workflow, ...([input] as never))
    for (const [pause, value] of Object.entries(options.resume ?? {})) await handle.resume(pause, value)
    await processes.begin()
    const outcome = await ending(handle, clock, processes)
    const effects = encode(await options.effects?.())
    return { ...outcome, effects, watch }
  } finally {
    await clock.until(processes.close())
    await opened.close()
  }
}

// A caller that names no `connect` leaves Tx at its default, the transaction of this very store.
function inMemory<Tx>(options: StoreOptions): Promise<Store<Tx>> {
  return connect<Tx>({ ...options, dsn: ':memory:' })
}

async function ending<Output>(
  handle: RunHandle<Output>,
  clock: TestClock,
  processes: { readonly trouble: Promise<never> },
): Promise<Pick<Course<Output>, 'outcome' | 'output' | 'error'>> {
  try {
    const output = await clock.until(Promise.race([handle.result(), processes.trouble]))
    return { outcome: encode(output), output, error: undefined }
  } catch (error) {
    if (error instanceof RunFailedError) {
      const { cause } = error
      return {
        outcome: cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause),
        output: undefined,
        error: cause,
      }
    }
    if (error instanceof TimeoutError && (await handle.status()) === 'paused') {
      throw new CrashTestError('The run waits for a signal: name its pause in resume.', undefined, {
        cause: error,
      })
    }
    throw error
  }
}

/** The workflow as a process runs it that may die. */
function mortal<Input, Output, Tx>(
  workflow: WorkflowDefinition<Input, Output, Tx, never>,
  process: MortalProcess,
  watch: CrashWatch,
): Runnable<Tx> {
  const body = async (run: Run<Tx>, input: never): Promise<Output> => {
    if (!watch.comesBy(process, 'after the claim of the run')) return never()
    const output = await process.ifAlive(
      Promise.resolve(workflow.body(watchedRun(run, process, watch), input)),
    )
    return watch.comesBy(process, 'after the last boundary, before the completion') ? output : never()
  }
  return { ...workflow, body }
}
