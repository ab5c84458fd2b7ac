import { decode } from '../codec/decode.js'
import { encode } from '../codec/encode.js'
import { fromErrorRecord, parseErrorRecord, type ErrorClass } from '../codec/error-record.js'
import type { Status, StepKind, StepStatus } from '../status.js'
import { toMs, type Duration } from '../duration.js'
import { AmbiguousCommitError, InvalidStateError, RunCancelledError, RunFailedError } from '../errors.js'
import { checkKeys, checkStepPath } from '../names.js'
import type { MessageRow, OutcomeRow } from '../store/records.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { cancelMessage, mustBeUuid, readMessage, readUnchanged } from '../store/messages.js'
import { History } from './history.js'
import type { Outcomes } from './outcomes.js'

/** Options of `handle.result()`. */
export interface ResultOptions extends CallOptions {
  /** Rejects with TimeoutError after this long. Default: waits for ever. */
  readonly timeout?: Duration
}

/** A checkpoint of a run. */
export interface StepInfo {
  readonly name: string
  readonly kind: StepKind
  readonly status: StepStatus
  /** What it returned. */
  readonly output: unknown
  /** What it threw. */
  readonly error: unknown
  readonly failures: number
  /** When a sleep or the time of a pause ends. */
  readonly wakeAt: Date | undefined
  readonly recordedAt: Date
}

/** A run from outside: its result, its state, and the ways to act on it. */
export class RunHandle<Output = unknown> {
  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly outcomes: Outcomes,
    /** Id of the run. */
    readonly id: string,
    /** Name of the workflow. */
    readonly workflow: string,
    private readonly errors: readonly ErrorClass[],
  ) {}

  /**
   * Waits for the run and returns what its workflow returned.
   * @throws RunFailedError with the workflow's error as `cause`
   * @throws RunCancelledError
   * @throws TimeoutError, AbortedError
   * @throws NotFoundError when there is no such run
   */
  async result(options: ResultOptions = {}): Promise<Output> {
    checkKeys(options, ['timeout', 'signal'], 'result')
    mustBeUuid(this.id)
    this.engine.mustBeOpen('result')
    const timeoutMs = options.timeout === undefined ? undefined : toMs(options.timeout, 'timeout')
    return this.fromOutcome(await this.outcomes.wait(this.id, this.workflow, options.signal, timeoutMs))
  }

  /** What the run returned, without waiting; undefined while it has not finished. Throws like {@link result}. */
  async peek(options: CallOptions = {}): Promise<{ readonly output: Output } | undefined> {
    const row = await this.read(options)
    return row.finished_at === null ? undefined : { output: this.fromOutcome(row) }
  }

  /** Where the run stands. @throws NotFoundError */
  async status(options: CallOptions = {}): Promise<Status> {
    return (await this.read(options)).status
  }

  /**
   * Asks the run to stop. A run nobody executes is cancelled at once; another is `cancelling` until its worker sees it
   * at a boundary. Returns the status after the call. Cancelling twice is no error.
   * @throws InvalidStateError when the run had finished otherwise
   * @throws NotFoundError
   * @throws AmbiguousCommitError when there is no such run and the call had to be sent again: the first may arrive yet
   */
  async cancel(reason = 'cancelled', options: CallOptions = {}): Promise<Status> {
    return cancelMessage(this.engine, this.id, this.workflow, reason, options)
  }

  /**
   * Ends the pause of that name, now or when the run gets there; the pause returns `value`. The first resume counts.
   * Returns whether this one did.
   * @throws InvalidStateError when the run has finished
   * @throws NotFoundError
   * @throws AmbiguousCommitError when nobody can say whether it was recorded: ask again
   */
  async resume(pause: string, value?: unknown, options: CallOptions = {}): Promise<boolean> {
    const { steps, messages } = this.engine.queries
    const { now } = this.engine
    checkStepPath(pause)
    mustBeUuid(this.id)
    const output = encode({ resumed: true, value })
    const mark = markOf(this.engine.random.leaseId())
    const { rows, repeated } = await this.engine.runOnce(
      steps.signal,
      { run_id: this.id, name: pause, output, mark, now },
      'resume',
      options,
    )
    const [signalled, woken] = await this.takenFor(rows.length > 0 || repeated, async () => {
      // When an answer was lost, an earlier sending of this call may be what stood in the way of the last one.
      const counts = rows.length > 0 || (repeated && (await this.bears(pause, mark)))
      // Also when the signal was there: an earlier call may have died between the two statements.
      const [row] = await this.engine.run(messages.wake, { id: this.id, now }, 'resume', options)
      return [counts, row] as const
    })
    // A run that was resumed in the process may have finished since.
    if (woken === undefined && !signalled) {
      const row = await readUnchanged(this.engine, this.id, { repeated, doing: 'resume' }, options)
      throw new InvalidStateError(
        `Run ${this.id} of ${this.workflow} has finished (${row.status}) and cannot be resumed.`,
      )
    }
    this.engine.wakeups.hint([`queue:${this.workflow}`])
    return signalled
  }

  /** What fails once the signal may be recorded leaves open what the caller asks: whether it counts. */
  private async takenFor<T>(mayBeThere: boolean, rest: () => Promise<T>): Promise<T> {
    try {
      return await rest()
    } catch (error) {
      if (!mayBeThere || error instanceof AmbiguousCommitError) throw error
      const said = error instanceof Error ? error.message : String(error)
      throw new AmbiguousCommitError(
        `The resume of run ${this.id} may be recorded, and the run was not woken: ${said}`,
        [this.id],
        { cause: error },
      )
    }
  }

  private async bears(step: string, mark: number): Promise<boolean> {
    const { history } = this.engine.queries.steps
    const [row] = await this.engine.run(history, { run_id: this.id }, 'look for the signal')
    return new History(row?.history ?? null).get(step)?.seen === mark
  }

  /** The run's checkpoints in the order of recording. */
  async steps(options: CallOptions = {}): Promise<StepInfo[]> {
    await this.read(options)
    const rows = await this.engine.run(
      this.engine.queries.steps.list,
      { run_id: this.id },
      'list steps',
      options,
    )
    return rows.map((row) => ({
      name: row.name,
      kind: row.kind,
      status: row.status,
      output: row.output === null ? undefined : decode(row.output),
      error: row.error === null ? undefined : fromErrorRecord(parseErrorRecord(row.error), this.errors),
      failures: row.failures,
      wakeAt: row.wake_at === null ? undefined : new Date(row.wake_at),
      recordedAt: new Date(row.recorded_at),
    }))
  }

  private fromOutcome(row: OutcomeRow): Output {
    switch (row.status) {
      case 'success':
        return (row.output === null ? undefined : decode(row.output)) as Output
      case 'cancelled': {
        const reason = row.error === null ? undefined : parseErrorRecord(row.error).message
        throw new RunCancelledError(
          `Run ${this.id} of ${this.workflow} was cancelled${reason === undefined ? '' : `: ${reason}`}.`,
          this.id,
        )
      }
      default: {
        const cause =
          row.error === null ? undefined : fromErrorRecord(parseErrorRecord(row.error), this.errors)
        const said = cause instanceof Error ? cause.message : String(cause)
        throw new RunFailedError(`Run ${this.id} of ${this.workflow} failed: ${said}`, this.id, { cause })
      }
    }
  }

  private async read(options: CallOptions = {}): Promise<MessageRow> {
    return readMessage(this.engine, this.id, options)
  }
}

/** What a signal bears in the place where other checkpoints say what their scope had seen: see `Checkpoint.seen`. */
function markOf(id: string): number {
  return -1 - (parseInt(id.slice(0, 8), 16) >>> 1)
}
