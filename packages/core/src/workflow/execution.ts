import { decode } from '../codec/decode.js'
import { encodeError, fromErrorRecord, parseErrorRecord, type ErrorClass } from '../codec/error-record.js'
import type { ValueLimits } from '../codec/limits.js'
import type { StepKind } from '../status.js'
import { delay } from '../clock.js'
import { LeaseLostError, RunCancelledError } from '../errors.js'
import type { Claimed } from '../queue/claimer.js'
import { NEVER_MS, type NewCheckpoint } from '../store/records.js'
import { nextAttemptIn, type RetryPolicy } from '../retry.js'
import type { Engine } from '../store/engine.js'
import { LazyAbort } from '../lazy-abort.js'
import { withTimeout } from '../timeout.js'
import type { TaskContext } from '../worker/task.js'
import { Bodies, BodyContext } from './bodies.js'
import type { Boundary, StepPlan } from './boundary.js'
import { Interruption, never, type Ending } from './ending.js'
import { History, type Checkpoint } from './history.js'
import { Origins } from './origins.js'
import { Recorder, type Recorded } from './recorder.js'
import { RunClock } from './run-clock.js'
import type { StepContext } from './run.js'
import { Scope } from './scope.js'
import { Signals } from './signals.js'
import { TransactionStep } from './transaction-step.js'
import { MOMENT_MS, Waits, type Wait } from './waits.js'

// For how long a replay waits for what its branches do between their boundaries before it takes the code for changed.
const REPLAY_GRACE_MS = 1000

/** What an execution needs to know of its workflow. */
export interface ExecutionSetup {
  readonly stepRetry: RetryPolicy
  readonly errors: readonly ErrorClass[]
  readonly limits: ValueLimits
  readonly leaseMs: number
}

/**
 * One pass through the body of a run, from claim to end. Boundaries that are recorded are answered from the history;
 * others run and are recorded under the fence. When the pass ends before the body does (a wait, a stop, a lost
 * lease), the body's promise simply never settles, so none of its `catch` and `finally` blocks runs by mistake.
 */
export class Execution {
  readonly id: string
  readonly queue: string
  /** Resolves when the pass ends without the body's doing. */
  readonly ended: Promise<Ending>
  readonly history: History
  readonly recorder: Recorder
  /** Which step an error came from, for the record of a failed run. */
  readonly origins = new Origins()
  private readonly waits: Waits
  private readonly signals: Signals
  private readonly bodies: Bodies
  private readonly scopes = new Map<string, Scope>()
  private readonly abort = new LazyAbort()
  private cancelSeen = false
  private readonly clock: RunClock
  private over = false
  /** The run is being put down at this moment: boundaries wait until it is known whether it was. */
  private gate: Promise<void> | undefined
  private end!: (ending: Ending) => void

  constructor(
    readonly engine: Engine,
    readonly claimed: Claimed,
    private readonly context: TaskContext,
    private readonly setup: ExecutionSetup,
  ) {
    this.id = claimed.row.id
    this.queue = claimed.row.queue
    this.history = new History(claimed.row.history)
    this.recorder = new Recorder(engine, claimed, this.history, setup.limits)
    this.clock = new RunClock(engine.clock, claimed.row.vt - setup.leaseMs)
    this.ended = new Promise((resolve) => {
      this.end = (ending) => {
        this.close()
        resolve(ending)
      }
    })
    this.waits = new Waits(
      engine.clock,
      () => this.clock.now(),
      (waits) => {
        this.gate = this.putDown(waits).finally(() => {
          this.gate = undefined
        })
        return this.gate
      },
    )
    this.signals = new Signals(this.recorder, this.waits)
    this.bodies = new Bodies(this.abort)
    context.abort.onAbort(this.interrupted)
  }

  /** Aborts when the run is cancelled, its lease is lost, or its worker stops. */
  get signal(): AbortSignal {
    return this.abort.signal
  }

  get stepRetry(): RetryPolicy {
    return this.setup.stepRetry
  }

  /** Longest transaction by default, in ms. */
  get transactionLimitMs(): number {
    return this.engine.driver.capabilities.oneWriter ? 5000 : 60_000
  }

  /** Whether a cancel was asked for and has been seen. */
  get cancelled(): boolean {
    return this.cancelSeen || this.context.cause() === 'cancelled'
  }

  openScope(path: string): Scope {
    const scope = new Scope(path)
    this.scopes.set(path, scope)
    return scope
  }

  async step(
    scope: Scope,
    name: string,
    plan: StepPlan,
    body: (context: StepContext) => unknown,
  ): Promise<unknown> {
    return this.boundary(scope, name, plan.key, 'step', (boundary, recorded) =>
      this.attempts(boundary, plan, recorded, async (attempt, outer) => {
        const key = `${this.id}/${boundary.name}`
        const run = (own: LazyAbort): unknown => body(new BodyContext(own, attempt, key))
        const value = withTimeout(this.engine.clock, plan.timeoutMs, `Step ${boundary.name}`, outer, run)
        return this.recordValue(boundary, await value)
      }),
    )
  }

  async transaction(
    scope: Scope,
    name: string,
    plan: StepPlan,
    body: (tx: unknown) => unknown,
  ): Promise<unknown> {
    return this.boundary(scope, name, plan.key, 'transaction', (boundary, recorded) =>
      this.attempts(boundary, plan, recorded, async (_, own) => {
        const limitMs = plan.timeoutMs ?? this.transactionLimitMs
        const step = new TransactionStep(this.recorder, boundary, limitMs, this.cancel)
        const output = await step.run(body, own)
        this.tell('step_recorded', boundary)
        return this.deliver(boundary, decode(output))
      }),
    )
  }

  async sleep(
    scope: Scope,
    name: string,
    until: { readonly inMs?: number; readonly atMs?: number },
  ): Promise<void> {
    await this.boundary(scope, name, undefined, 'sleep', async (boundary, recorded) => {
      const dueMs = recorded?.wakeAtMs ?? (await this.recordTimer(boundary, until))
      if (recorded !== undefined) this.tell('step_replayed', boundary)
      await this.waitFor({ dueMs, status: 'paused' })
      return this.deliver(boundary, undefined)
    })
  }

  async pause(scope: Scope, name: string, timeoutMs: number | undefined): Promise<unknown> {
    return this.boundary(scope, name, undefined, 'pause', async (boundary) => {
      let dueMs: number | undefined
      if (timeoutMs !== undefined) {
        const timer: Boundary = { ...boundary, name: `${boundary.name}@timeout`, kind: 'timer' }
        dueMs =
          this.history.visit(timer.name, 'timer')?.wakeAtMs ??
          (await this.recordTimer(timer, { inMs: timeoutMs }))
      }
      this.signals.watch()
      await this.waitFor({ dueMs, signal: boundary.name, status: 'paused' })
      const signalled = this.history.visit(boundary.name, 'pause')
      if (signalled !== undefined) return this.deliver(boundary, decode(signalled.output ?? 'null'))
      return this.waits.during(() => this.recordValue(boundary, { resumed: false }))
    })
  }

  /** The body has returned: lets branches it did not wait for replay what they had recorded. */
  async finishReplay(): Promise<void> {
    await this.replayed(() => this.history.skipped().length === 0)
  }

  /** The body has settled: nothing may put the run down any more. */
  close(): void {
    this.over = true
    this.waits.clear()
    this.signals.stop()
  }

  /** Gives the run back because all of its branches wait; goes on when a signal came first. */
  private async putDown(waits: readonly Wait[]): Promise<void> {
    if (waits.some((wait) => wait.dueMs === undefined && wait.signal === undefined)) {
      this.end({ kind: 'let_go' })
      return
    }
    const status = waits.some((wait) => wait.status === 'paused') ? 'paused' : 'queued'
    const dueMs = Math.min(...waits.map((wait) => wait.dueMs ?? NEVER_MS))
    const signals = waits.flatMap((wait) => wait.signal ?? [])
    try {
      const now = await this.claimed.lease.release({ status, atMs: dueMs, unlessSteps: signals })
      if (now !== undefined) {
        this.end({ kind: 'put_down', status: now, inMs: Math.ceil(Math.max(0, dueMs - this.clock.now())) })
        return
      }
      await this.signals.look()
    } catch (error) {
      this.end(error instanceof LeaseLostError ? { kind: 'lost' } : { kind: 'trouble', error })
    }
  }

  /**
   * Comes by a boundary: names it, answers it from the history or lets `fresh` do it, and sees to it that nothing
   * begins after a cancel, a stop or a divergence was noticed.
   */
  private async boundary(
    scope: Scope,
    name: string,
    key: string | undefined,
    kind: StepKind,
    fresh: (boundary: Boundary, recorded: Checkpoint | undefined) => Promise<unknown>,
  ): Promise<unknown> {
    // Named before anything is awaited: in the order of the code's calls.
    const entered = scope.enter(name, key)
    const boundary: Boundary = { name: entered.name, kind, scope, seen: scope.seen }
    try {
      await this.mayGoOn()
      const recorded = this.visit(boundary)
      if (recorded !== undefined && recorded.status !== 'retrying' && kind !== 'sleep') {
        this.tell('step_replayed', boundary)
        return this.deliverRecorded(boundary, recorded)
      }
      if (recorded === undefined || recorded.status === 'retrying') await this.mayBegin(boundary)
      return await this.waitable(kind, () => fresh(boundary, recorded))
    } catch (error) {
      if (!(error instanceof Interruption)) throw error
      this.end(error.ending)
      return await never()
    } finally {
      entered.leave()
    }
  }

  // A sleep or pause is waiting, not working, while nothing is being recorded for it.
  private waitable<T>(kind: StepKind, work: () => Promise<T>): Promise<T> {
    return kind === 'sleep' || kind === 'pause' ? work() : this.waits.during(work)
  }

  private async mayGoOn(): Promise<void> {
    await this.gate
    if (this.over) await never()
    if (this.cancelled) throw this.cancelledError()
    // Other branches may be at work: the run is given back when they have recorded what they did.
    if (this.context.stopping()) {
      await this.waits.until({ dueMs: undefined, status: 'queued' })
      await this.mayGoOn()
    }
  }

  private visit(boundary: Boundary): Checkpoint | undefined {
    try {
      return this.history.visit(boundary.name, boundary.kind)
    } catch (error) {
      throw new Interruption({ kind: 'diverged', error })
    }
  }

  /** Before anything new: all that can be replayed must have been, and nothing recorded may have been passed over. */
  private async mayBegin(boundary: Boundary): Promise<void> {
    if (!this.history.replaying) return
    const progress = { seenIn: (scope: string): number | undefined => this.scopes.get(scope)?.seen }
    await this.replayed(() => this.history.skipped(progress).length === 0)
    await this.mayGoOn()
    try {
      this.history.mustAllow(boundary.name, progress)
    } catch (error) {
      throw new Interruption({ kind: 'diverged', error })
    }
  }

  /** Lets the branches replay what is recorded, also those that wait for something of their own in between. */
  private async replayed(enough: () => boolean): Promise<void> {
    if (!this.history.replaying) return
    const { clock } = this.engine
    const giveUpAt = clock.monotonic() + REPLAY_GRACE_MS
    const mayWait = (): boolean => !this.over && !this.cancelled && clock.monotonic() < giveUpAt
    // It counts as work: the run must not be put down because its other branches wait.
    await this.waits.during(async () => {
      await clock.settle()
      for (let ms = 1; !enough() && mayWait(); ms = Math.min(ms * 2, 50)) {
        await delay(clock, ms, { background: true })
      }
    })
  }

  /** Tries `attempt` as often as the policy allows; waits that are longer than a moment give the worker back. */
  private async attempts(
    boundary: Boundary,
    plan: StepPlan,
    recorded: Checkpoint | undefined,
    attempt: (number: number, own: LazyAbort) => Promise<unknown>,
  ): Promise<unknown> {
    // The run may have been taken up for another branch's sake.
    if (recorded !== undefined) await this.idleUntil(recorded.wakeAtMs ?? 0)
    for (let failures = recorded?.failures ?? 0; ;) {
      this.tell('step_started', boundary)
      let error: unknown
      try {
        return await this.bodies.run((own) => attempt(failures + 1, own))
      } catch (thrown) {
        if (thrown instanceof Interruption) throw thrown
        error = thrown
      }
      if (this.over) return never()
      if (this.cancelled) throw this.cancelledError()
      failures++
      this.tell('step_failed', boundary)
      const waitMs = nextAttemptIn(plan.retry, error, failures, this.engine.random)
      if (waitMs === undefined) return this.recordFailure(boundary, error, failures)
      await this.beforeRetry(boundary, error, failures, waitMs)
    }
  }

  private async beforeRetry(
    boundary: Boundary,
    error: unknown,
    failures: number,
    waitMs: number,
  ): Promise<void> {
    if (waitMs <= MOMENT_MS) {
      await this.idleUntil(this.clock.now() + waitMs)
      return
    }
    const failed = this.recorder.checkpoint(boundary, 'retrying', { error: encodeError(error), failures })
    const { wakeAtMs } = await this.record({ ...failed, wake_in_ms: waitMs })
    await this.idleUntil(wakeAtMs ?? 0)
  }

  /** Waits with a retry. That is no activity: when every branch waits, the worker is given back. */
  private async idleUntil(dueMs: number): Promise<void> {
    await this.waits.idle(() => this.waitFor({ dueMs, status: 'queued' }))
  }

  private async waitFor(wait: Omit<Wait, 'over'>): Promise<void> {
    // A cancel ends the waits that are there when it is seen: none may begin afterwards.
    if (this.cancelled) throw this.cancelledError()
    if (wait.dueMs === undefined || wait.dueMs > this.clock.now()) await this.waits.until(wait)
    await this.mayGoOn()
  }

  private async recordValue(boundary: Boundary, value: unknown): Promise<unknown> {
    const output = this.recorder.encoded(boundary, value)
    const { standing } = await this.record(this.recorder.checkpoint(boundary, 'success', { output }))
    // Whatever was recorded first is the result for ever.
    return standing === undefined
      ? this.deliver(boundary, decode(output))
      : this.deliverRecorded(boundary, standing)
  }

  private async recordFailure(boundary: Boundary, error: unknown, failures: number): Promise<never> {
    const encoded = encodeError(error)
    await this.record(this.recorder.checkpoint(boundary, 'error', { error: encoded, failures }))
    throw this.revived(boundary, encoded)
  }

  /** Records when a timer ends, by the database's clock, and returns that time. */
  private async recordTimer(
    boundary: Boundary,
    until: { readonly inMs?: number; readonly atMs?: number },
  ): Promise<number> {
    const checkpoint = {
      ...this.recorder.checkpoint(boundary, 'success', {}),
      wake_in_ms: until.inMs ?? null,
      wake_at_ms: until.atMs ?? null,
    }
    const { wakeAtMs } = await this.waits.during(() => this.record(checkpoint))
    return wakeAtMs ?? 0
  }

  private async record(checkpoint: NewCheckpoint): Promise<Recorded> {
    const recorded = await this.recorder.record(checkpoint)
    if (this.over) return never()
    if (recorded.cancelling) this.cancel()
    this.tell('step_recorded', checkpoint)
    return recorded
  }

  private deliver(boundary: Boundary, value: unknown): unknown {
    if (this.over) return never()
    boundary.scope.seen++
    this.origins.passed()
    return value
  }

  private deliverRecorded(boundary: Boundary, recorded: Checkpoint): unknown {
    if (recorded.status === 'error') throw this.revived(boundary, recorded.error ?? '{}')
    return this.deliver(boundary, decode(recorded.output ?? '{"$undefined":true}'))
  }

  private revived(boundary: Boundary, encoded: string): unknown {
    boundary.scope.seen++
    const error = fromErrorRecord(parseErrorRecord(encoded), this.setup.errors)
    this.origins.note(error, boundary.name)
    return error
  }

  private readonly interrupted = (reason: unknown): void => {
    this.abort.abort(reason)
    const cause = this.context.cause()
    if (cause === 'lease_lost') this.end({ kind: 'lost' })
    else if (cause === 'stop') this.end({ kind: 'let_go' })
    else this.cancel()
  }

  /** A cancel goes through the body, so that its own cleaning up runs; waits end for it. */
  private readonly cancel = (): void => {
    this.cancelSeen = true
    this.abort.abort(this.cancelledError())
    for (const wait of this.waits.pending) wait.over()
  }

  private cancelledError(): RunCancelledError {
    return new RunCancelledError(`Run ${this.id} of ${this.queue} was cancelled.`, this.id)
  }

  private tell(
    type: 'step_started' | 'step_recorded' | 'step_replayed' | 'step_failed',
    step: { readonly name: string; readonly kind: StepKind },
  ): void {
    this.context.emit({ type, queue: this.queue, id: this.id, step: step.name, kind: step.kind })
  }
}
