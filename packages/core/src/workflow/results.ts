import { decode } from '../codec/decode.js'
import { encodeError, fromErrorRecord, parseErrorRecord, type ErrorClass } from '../codec/error-record.js'
import type { NewCheckpoint } from '../store/records.js'
import type { Boundary } from './boundary.js'
import { never } from './ending.js'
import type { Checkpoint } from './history.js'
import type { Origins } from './origins.js'
import type { Pass } from './pass.js'
import type { Recorded, Recorder } from './recorder.js'

/**
 * What the boundaries of a pass come to: records it under the fence, and gives the body what is recorded, which is
 * what every replay will give it, too. A pass that is over gives its body nothing any more.
 */
export class Results {
  constructor(
    private readonly pass: Pass,
    private readonly recorder: Recorder,
    private readonly origins: Origins,
    private readonly errors: readonly ErrorClass[],
  ) {}

  /**
   * Records what a boundary has returned.
   * @returns what the body gets: whatever was recorded first is the result for ever.
   * @throws TerminalError when the value cannot be recorded
   */
  async recordValue(boundary: Boundary, value: unknown): Promise<unknown> {
    const output = this.recorder.encoded(boundary, value)
    const { standing } = await this.record(this.recorder.checkpoint(boundary, 'success', { output }))
    return standing === undefined
      ? this.deliver(boundary, decode(output))
      : this.deliverRecorded(boundary, standing)
  }

  /** Records that a step has failed for good. @throws the error, as every replay will throw it */
  async recordFailure(boundary: Boundary, error: unknown, failures: number): Promise<never> {
    const encoded = encodeError(error)
    await this.record(this.recorder.checkpoint(boundary, 'error', { error: encoded, failures }))
    throw this.revived(boundary, encoded)
  }

  /** Records that a step is tried again in `waitMs`; returns when that is, by the database's clock. */
  async recordRetry(boundary: Boundary, error: unknown, failures: number, waitMs: number): Promise<number> {
    const failed = this.recorder.checkpoint(boundary, 'retrying', { error: encodeError(error), failures })
    const { wakeAtMs } = await this.record({ ...failed, wake_in_ms: waitMs })
    return wakeAtMs ?? 0
  }

  /** Records when a timer ends; returns when that is, by the database's clock. */
  async recordTimer(
    boundary: Boundary,
    until: { readonly inMs?: number; readonly atMs?: number },
  ): Promise<number> {
    const { wakeAtMs } = await this.record({
      ...this.recorder.checkpoint(boundary, 'success', {}),
      wake_in_ms: until.inMs ?? null,
      wake_at_ms: until.atMs ?? null,
    })
    return wakeAtMs ?? 0
  }

  /** The body gets the value of a boundary. */
  deliver(boundary: Boundary, value: unknown): unknown {
    if (this.pass.over) return never()
    boundary.scope.seen++
    this.origins.passed()
    return value
  }

  /** The body gets what a checkpoint holds. @throws the error it holds */
  deliverRecorded(boundary: Boundary, recorded: Checkpoint): unknown {
    if (recorded.status === 'error') throw this.revived(boundary, recorded.error ?? '{}')
    return this.deliver(boundary, decode(recorded.output ?? '{"$undefined":true}'))
  }

  private async record(checkpoint: NewCheckpoint): Promise<Recorded> {
    const recorded = await this.recorder.record(checkpoint)
    if (this.pass.over) return never()
    if (recorded.cancelling) this.pass.cancel()
    this.pass.tell('step_recorded', checkpoint)
    return recorded
  }

  private revived(boundary: Boundary, encoded: string): unknown {
    boundary.scope.seen++
    const error = fromErrorRecord(parseErrorRecord(encoded), this.errors)
    this.origins.note(error, boundary.name)
    return error
  }
}
