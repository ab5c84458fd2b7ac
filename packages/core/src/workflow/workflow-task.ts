import { decode } from '../codec/decode.js'
import { encode } from '../codec/encode.js'
import { encodeError } from '../codec/error-record.js'
import type { ValueLimits } from '../codec/limits.js'
import { LeaseLostError, ReplayDivergedError, TerminalError } from '../errors.js'
import type { Claimed } from '../queue/claimer.js'
import { nextAttemptIn } from '../retry.js'
import type { Status } from '../status.js'
import type { Engine } from '../store/engine.js'
import type { Task, TaskContext } from '../worker/task.js'
import type { WorkflowDefinition } from './define-workflow.js'
import type { Ending } from './ending.js'
import { Execution } from './execution.js'
import { Run } from './run.js'

// What the database refuses now it may refuse again at once.
const TROUBLE_DELAY_MS = 1000

/** A workflow as the store's lists of workflows hold it. */
export type AnyWorkflow<Tx = never> = WorkflowDefinition<never, unknown, Tx, never>

type Outcome =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: unknown }
  | Ending

/** Runs a workflow: passes through its body until it ends or has to wait. */
export class WorkflowTask implements Task {
  readonly kind = 'workflow'
  readonly queue: string
  readonly policy
  private readonly resultLimits: ValueLimits

  constructor(
    private readonly engine: Engine,
    private readonly definition: AnyWorkflow,
  ) {
    this.queue = definition.name
    this.policy = definition.policy
    // Required keys are demanded of the input.
    this.resultLimits = { ...definition.queue.limits, requiredKeys: [] }
  }

  async execute(claimed: Claimed, context: TaskContext): Promise<void> {
    const recorded = await this.withAllRecorded(claimed)
    // Reading may take long; nothing begins when the run was lost or asked to cancel meanwhile.
    const cause = context.cause()
    if (cause === 'lease_lost') {
      context.emit({ type: 'lease_lost', queue: this.queue, id: claimed.row.id })
      return
    }
    if (cause === 'cancelled') {
      await this.unlessLost(context, claimed.row.id, () => this.cancelled(claimed, context))
      return
    }
    const execution = new Execution(this.engine, recorded, context, {
      stepRetry: this.definition.stepRetry,
      errors: this.definition.errors,
      limits: this.resultLimits,
      leaseMs: this.policy.leaseMs ?? this.engine.config.leaseMs,
    })
    const outcome = await Promise.race([this.body(execution, claimed), execution.ended])
    execution.close()
    context.handled()
    await this.unlessLost(context, execution.id, () => this.conclude(execution, context, outcome))
  }

  private async unlessLost(context: TaskContext, id: string, end: () => Promise<void>): Promise<void> {
    try {
      await end()
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      context.emit({ type: 'lease_lost', queue: this.queue, id })
    }
  }

  /**
   * A lapsed lease may be taken while its holder records a last step. A claim that was under way then sees the row of
   * the run as it is, and its checkpoints as they were. From the claim on nobody else can record, so what is read now
   * is all there is.
   */
  private async withAllRecorded(claimed: Claimed): Promise<Claimed> {
    const { row } = claimed
    if (row.crashes === 0) return claimed
    const [read] = await this.engine.run(
      this.engine.queries.steps.history,
      { run_id: row.id },
      'read the history',
    )
    return { ...claimed, row: { ...row, history: read?.history ?? null } }
  }

  private async body(execution: Execution, claimed: Claimed): Promise<Outcome> {
    try {
      const run = new Run<never>(execution, execution.openScope(''))
      const value = await this.definition.body(run, decode(claimed.row.payload) as never)
      await execution.finishReplay()
      return { kind: 'returned', value }
    } catch (error) {
      return { kind: 'threw', error }
    }
  }

  private async conclude(execution: Execution, context: TaskContext, outcome: Outcome): Promise<void> {
    const { queue } = this
    const { id, claimed } = execution
    switch (outcome.kind) {
      case 'returned':
        await this.returned(execution, context, outcome.value)
        return
      case 'threw':
        await this.threw(execution, context, outcome.error)
        return
      case 'put_down': {
        const reason = outcome.status === 'paused' ? 'pause' : 'retry'
        this.tellReleased(context, id, outcome.status, { reason, inMs: outcome.inMs })
        return
      }
      case 'let_go': {
        // A step that was done when the worker stopped must not be done again.
        await execution.recorder.idle()
        const status = await claimed.lease.release({})
        this.tellReleased(context, id, status, { reason: 'stop', inMs: 0 })
        return
      }
      case 'lost':
        context.emit({ type: 'lease_lost', queue, id })
        return
      case 'diverged':
        await this.failed(execution, context, outcome.error)
        return
      case 'trouble':
        context.emit({ type: 'trouble', error: outcome.error })
        // Sooner than the lapse of the lease, when the database is back already.
        await claimed.lease.release({ delayMs: TROUBLE_DELAY_MS })
    }
  }

  /** A run that was asked to cancel ends when it is given back. */
  private tellReleased(
    context: TaskContext,
    id: string,
    status: Status | undefined,
    how: { readonly reason: 'stop' | 'pause' | 'retry'; readonly inMs: number; readonly error?: unknown },
  ): void {
    const { queue } = this
    context.emit(
      status === 'cancelled' ? { type: 'cancelled', queue, id } : { type: 'released', queue, id, ...how },
    )
  }

  private async returned(execution: Execution, context: TaskContext, value: unknown): Promise<void> {
    if (execution.cancelled) {
      await this.cancelled(execution.claimed, context)
      return
    }
    let output: string
    try {
      execution.history.mustBeComplete()
      output = encode(value, this.resultLimits)
    } catch (error) {
      await this.failed(execution, context, error instanceof TerminalError ? error : terminal(error))
      return
    }
    const status = await execution.claimed.lease.finish({ status: 'success', output, error: null, failed: 0 })
    context.emit({
      type: status === 'success' ? 'archived' : 'cancelled',
      queue: this.queue,
      id: execution.id,
    })
  }

  private async threw(execution: Execution, context: TaskContext, error: unknown): Promise<void> {
    if (execution.cancelled) await this.cancelled(execution.claimed, context)
    else await this.failed(execution, context, error)
  }

  private async cancelled({ row, lease }: Claimed, context: TaskContext): Promise<void> {
    await lease.finish({ status: 'cancelled', output: null, error: null, failed: 0 })
    context.emit({ type: 'cancelled', queue: this.queue, id: row.id })
  }

  private async failed(execution: Execution, context: TaskContext, error: unknown): Promise<void> {
    const { id, claimed } = execution
    const step = execution.origins.of(error)
    const encoded = encodeError(error, step)
    // The same code would diverge again.
    const hopeless = error instanceof ReplayDivergedError
    const inMs = hopeless
      ? undefined
      : nextAttemptIn(this.policy.retry, error, claimed.row.failures + 1, this.engine.random)
    if (inMs === undefined) {
      await claimed.lease.finish({ status: 'error', output: null, error: encoded, failed: 1 })
      context.emit({ type: 'dead', queue: this.queue, id, error })
      return
    }
    // A retry of the run is a retry of the step that failed it, as when an operator asks for one.
    if (step !== undefined) {
      await this.engine.run(
        this.engine.queries.steps.forget,
        { run_id: id, lease_id: claimed.lease.leaseId, name: step },
        'forget a failed step',
      )
    }
    const status = await claimed.lease.release({ delayMs: inMs, error: encoded, failed: true })
    this.tellReleased(context, id, status, { reason: 'retry', inMs, error })
  }
}

// A result that cannot be stored and a diverged replay stay what they are however often they are tried.
function terminal(error: unknown): unknown {
  if (error instanceof ReplayDivergedError) return error
  const { code, message } = error as { code?: string; message: string }
  return new TerminalError(message, { cause: error, ...(code === undefined ? {} : { code }) })
}
