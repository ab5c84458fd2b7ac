import { decode } from '../codec/decode.js'
import type { ErrorClass } from '../codec/error-record.js'
import type { ValueLimits } from '../codec/limits.js'
import type { StepKind } from '../status.js'
import type { Claimed } from '../queue/claimer.js'
import { nextAttemptIn, type RetryPolicy } from '../retry.js'
import type { Engine } from '../store/engine.js'
import type { LazyAbort } from '../lazy-abort.js'
import { withTimeout } from '../timeout.js'
import type { TaskContext } from '../worker/task.js'
import { Bodies, BodyContext } from './bodies.js'
import type { Boundary, StepPlan } from './boundary.js'
import { Interruption, never, type Ending } from './ending.js'
import { History, type Checkpoint } from './history.js'
import { Origins } from './origins.js'
import { Pass } from './pass.js'
import { putDown } from './put-down.js'
import { Recorder } from './recorder.js'
import { Replay } from './replay.js'
import { Results } from './results.js'
import { RunClock } from './run-clock.js'
import type { StepContext } from './run.js'
import type { Scope } from './scope.js'
import { Signals } from './signals.js'
import { TransactionStep } from './transaction-step.js'
import { MOMENT_MS, Waits, type Wait } from './waits.js'

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
  readonly history: History
  readonly recorder: Recorder
  /** Which step an error came from, for the record of a failed run. */
  readonly origins = new Origins()
  private readonly pass: Pass
  private readonly results: Results
  private readonly replay: Replay
  private readonly waits: Waits
  private readonly signals: Signals
  private readonly bodies: Bodies
  private readonly clock: RunClock
  /** The run is being put down at this moment: boundaries wait until it is known whether it was. */
  private gate: Promise<void> | undefined

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
    this.pass = new Pass(
      {
        id: this.id,
        queue: this.queue,
        onCancel: () => {
          for (const wait of this.waits.pending) wait.over()
        },
        onOver: () => {
          this.waits.clear()
          this.signals.stop()
        },
      },
      context,
    )
    this.results = new Results(this.pass, this.recorder, this.origins, setup.errors)
    this.waits = new Waits(
      engine.clock,
      () => this.clock.now(),
      (waits) => {
        this.gate = putDown(waits, claimed, this.pass, this.signals, this.clock).finally(() => {
          this.gate = undefined
        })
        return this.gate
      },
    )
    this.replay = new Replay(this.history, this.pass, this.waits, engine.clock)
    this.signals = new Signals(this.recorder, this.waits)
    this.bodies = new Bodies(this.pass.abort)
    this.pass.heed()
  }

  /** Aborts when the run is cancelled, its lease is lost, or its worker stops. */
  get signal(): AbortSignal {
    return this.pass.abort.signal
  }

  /** Resolves when the pass ends without the body's doing. */
  get ended(): Promise<Ending> {
    return this.pass.ended
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
    return this.pass.cancelled
  }

  openScope(path: string): Scope {
    return this.replay.openScope(path)
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
        return this.results.recordValue(boundary, await value)
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
        const step = new TransactionStep(this.recorder, boundary, limitMs, this.pass.cancel)
        const output = await step.run(body, own)
        this.pass.tell('step_recorded', boundary)
        return this.results.deliver(boundary, decode(output))
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
      if (recorded !== undefined) this.pass.tell('step_replayed', boundary)
      await this.waitFor({ dueMs, status: 'paused' })
      return this.results.deliver(boundary, undefined)
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
      if (signalled !== undefined) return this.results.deliver(boundary, decode(signalled.output ?? 'null'))
      return this.waits.during(() => this.results.recordValue(boundary, { resumed: false }))
    })
  }

  /** The body has returned: lets branches it did not wait for replay what they had recorded. */
  async finishReplay(): Promise<void> {
    await this.replay.finish()
  }

  /** The body has settled: nothing may put the run down any more. */
  close(): void {
    this.pass.close()
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
      const recorded = this.replay.visit(boundary)
      if (recorded !== undefined && recorded.status !== 'retrying' && kind !== 'sleep') {
        this.pass.tell('step_replayed', boundary)
        return this.results.deliverRecorded(boundary, recorded)
      }
      if (recorded === undefined || recorded.status === 'retrying') await this.mayBegin(boundary)
      return await this.waitable(kind, () => fresh(boundary, recorded))
    } catch (error) {
      if (!(error instanceof Interruption)) throw error
      this.pass.end(error.ending)
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
    if (this.pass.over) await never()
    if (this.pass.cancelled) throw this.pass.cancelledError()
    // Other branches may be at work: the run is given back when they have recorded what they did.
    if (this.context.stopping()) {
      await this.waits.until({ dueMs: undefined, status: 'queued' })
      await this.mayGoOn()
    }
  }

  /** Before anything new: all that can be replayed must have been, and nothing recorded may have been passed over. */
  private async mayBegin(boundary: Boundary): Promise<void> {
    if (!this.history.replaying) return
    await this.replay.caughtUp()
    await this.mayGoOn()
    this.replay.mustAllow(boundary)
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
      this.pass.tell('step_started', boundary)
      let error: unknown
      try {
        return await this.bodies.run((own) => attempt(failures + 1, own))
      } catch (thrown) {
        if (thrown instanceof Interruption) throw thrown
        error = thrown
      }
      if (this.pass.over) return never()
      if (this.pass.cancelled) throw this.pass.cancelledError()
      failures++
      this.pass.tell('step_failed', boundary)
      const waitMs = nextAttemptIn(plan.retry, error, failures, this.engine.random)
      if (waitMs === undefined) return this.results.recordFailure(boundary, error, failures)
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
    await this.idleUntil(await this.results.recordRetry(boundary, error, failures, waitMs))
  }

  /** Waits with a retry. That is no activity: when every branch waits, the worker is given back. */
  private async idleUntil(dueMs: number): Promise<void> {
    await this.waits.idle(() => this.waitFor({ dueMs, status: 'queued' }))
  }

  private async waitFor(wait: Omit<Wait, 'over'>): Promise<void> {
    // A cancel ends the waits that are there when it is seen: none may begin afterwards.
    if (this.pass.cancelled) throw this.pass.cancelledError()
    if (wait.dueMs === undefined || wait.dueMs > this.clock.now()) await this.waits.until(wait)
    await this.mayGoOn()
  }

  /** Recording when a timer ends is work, not waiting. */
  private recordTimer(
    boundary: Boundary,
    until: { readonly inMs?: number; readonly atMs?: number },
  ): Promise<number> {
    return this.waits.during(() => this.results.recordTimer(boundary, until))
  }
}
