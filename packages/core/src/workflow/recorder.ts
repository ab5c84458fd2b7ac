import { encode } from '../codec/encode.js'
import type { ValueLimits } from '../codec/limits.js'
import { LeaseLostError, TerminalError } from '../errors.js'
import type { Claimed } from '../queue/claimer.js'
import type { Engine } from '../store/engine.js'
import type { NewCheckpoint } from '../store/records.js'
import type { StepStatus } from '../status.js'
import type { Boundary } from './boundary.js'
import { Interruption } from './ending.js'
import type { Checkpoint, History } from './history.js'

/** What recording came to. */
export interface Recorded {
  readonly wakeAtMs: number | null
  /** What had been recorded under this name before; it stands. */
  readonly standing: Checkpoint | undefined
  /** A cancel of the run has been asked for. */
  readonly cancelling: boolean
}

/** Writes the checkpoints of one run under its fence. */
export class Recorder {
  private readonly writing = new Set<Promise<void>>()

  constructor(
    readonly engine: Engine,
    readonly claimed: Claimed,
    readonly history: History,
    private readonly limits: ValueLimits,
  ) {}

  /** The row of a checkpoint of a boundary. */
  checkpoint(
    boundary: Boundary,
    status: StepStatus,
    outcome: { readonly output?: string; readonly error?: string; readonly failures?: number },
  ): NewCheckpoint {
    return {
      run_id: this.claimed.row.id,
      lease_id: this.claimed.lease.leaseId,
      name: boundary.name,
      kind: boundary.kind,
      status,
      output: outcome.output ?? null,
      error: outcome.error ?? null,
      failures: outcome.failures ?? 0,
      wake_in_ms: null,
      wake_at_ms: null,
      position: this.history.nextPosition(),
      seen: boundary.seen,
    }
  }

  /**
   * The text to record for a value.
   * @throws TerminalError when it cannot be recorded: the next attempt would return the same kind of thing.
   */
  encoded(boundary: Boundary, value: unknown): string {
    try {
      return encode(value, this.limits)
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      throw new TerminalError(
        `The result of ${boundary.kind} ${boundary.name} cannot be recorded: ${message}`,
        {
          cause: error,
          code: code ?? 'UNSERIALIZABLE',
        },
      )
    }
  }

  /** Resolves when nothing is being recorded: what is given back now must not overtake it. */
  async idle(): Promise<void> {
    await Promise.all(this.writing)
  }

  /**
   * Records a checkpoint.
   * @throws Interruption when the fence does not hold or the database cannot be used.
   */
  async record(checkpoint: NewCheckpoint): Promise<Recorded> {
    const written = this.engine.submit(this.engine.operations.record, checkpoint)
    const over = written.then(nothing, nothing)
    this.writing.add(over)
    try {
      const { row } = await written
      if (row === undefined) return await this.alreadyRecorded(checkpoint)
      return { wakeAtMs: row.wake_at, standing: undefined, cancelling: row.run_status === 'cancelling' }
    } catch (error) {
      throw new Interruption(error instanceof LeaseLostError ? { kind: 'lost' } : { kind: 'trouble', error })
    } finally {
      this.writing.delete(over)
    }
  }

  /** The run's checkpoints as the database has them now. */
  async refresh(): Promise<void> {
    const { steps } = this.engine.queries
    const [row] = await this.engine.run(steps.history, { run_id: this.claimed.row.id }, 'read the history')
    this.history.add(row?.history ?? null)
  }

  /** Nothing was inserted: the answer of an earlier sending was lost, a signal came first, or the lease is gone. */
  private async alreadyRecorded(checkpoint: NewCheckpoint): Promise<Recorded> {
    const row = await this.claimed.lease.read()
    const held = row?.status === 'running' || row?.status === 'cancelling'
    if (!held || row.lease_id !== checkpoint.lease_id) throw await this.claimed.lease.lost('record a step of')
    await this.refresh()
    const standing = this.history.visit(checkpoint.name, checkpoint.kind)
    if (standing === undefined) throw await this.claimed.lease.lost('record a step of')
    return { wakeAtMs: standing.wakeAtMs, standing, cancelling: row.status === 'cancelling' }
  }
}

function nothing(): void {}
