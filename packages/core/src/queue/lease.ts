import type { Status } from '../status.js'
import { LeaseLostError } from '../errors.js'
import { display } from '../names.js'
import type { Finish, MessageRow, Release } from '../store/records.js'
import type { CallOptions, Engine } from '../store/engine.js'
import type { Answer } from '../store/batcher.js'

/** The end of a hold on a message that puts it back. */
export interface ReleaseTo {
  readonly status?: 'queued' | 'paused'
  readonly delayMs?: number
  /** Visible at this time instead, ms since the epoch. */
  readonly atMs?: number
  readonly error?: string
  /** Count a failed attempt. */
  readonly failed?: boolean
  /** Do not pause when one of these steps has been recorded meanwhile. */
  readonly unlessSteps?: readonly string[]
}

/** One grant on one message. Every write carries the grant, so a holder that lost it changes nothing. */
export class Lease {
  constructor(
    private readonly engine: Engine,
    readonly id: string,
    readonly leaseId: string,
    readonly queue: string,
  ) {}

  /**
   * Finishes the message and keeps it. Returns the status it really has: `cancelled` when it had been asked to.
   * @throws LeaseLostError
   */
  async finish(outcome: Omit<Finish, 'id' | 'lease_id'>, options?: CallOptions): Promise<Status> {
    const item = { id: this.id, lease_id: this.leaseId, ...outcome }
    const answer = await this.engine.submit(this.engine.operations.finish, item, options)
    const status = await this.settled(answer, 'finish', (row) => row.finished_at !== null)
    this.tellEnd(status, outcome)
    return status
  }

  private tellEnd(status: Status, { status: wanted, output, error }: Omit<Finish, 'id' | 'lease_id'>): void {
    const { endings, wakeups } = this.engine
    const topics = [`done:${this.queue}`] as const
    // What had been asked to cancel bears the error that came with the asking.
    if (status !== wanted || status === 'cancelled') {
      wakeups.hint(topics)
      return
    }
    endings.tell({ id: this.id, queue: this.queue, status, output, error })
    wakeups.hintOthers(topics)
  }

  /**
   * Puts the message back. Returns its status; undefined when it was not paused because of `unlessSteps`.
   * @throws LeaseLostError
   */
  async release(to: ReleaseTo, options?: CallOptions): Promise<Status | undefined> {
    const item: Release = {
      id: this.id,
      lease_id: this.leaseId,
      status: to.status ?? 'queued',
      delay_ms: to.delayMs ?? 0,
      at_ms: to.atMs ?? null,
      error: to.error ?? null,
      failed: to.failed === true ? 1 : 0,
      unless_steps: to.unlessSteps === undefined ? null : JSON.stringify(to.unlessSteps),
    }
    const answer =
      to.unlessSteps === undefined || to.unlessSteps.length === 0
        ? await this.engine.submit(this.engine.operations.release, item, options)
        : await this.releaseUnlessSignalled(item, options)
    if (answer.row === undefined && to.unlessSteps !== undefined && (await this.held())) return undefined
    const status = await this.settled(answer, 'release', (row) => row.status !== 'running')
    // A waiter must know the next due time, whether it is now or later.
    this.engine.wakeups.hint([status === 'cancelled' ? `done:${this.queue}` : `queue:${this.queue}`])
    return status
  }

  /**
   * Takes the row's lock before it looks for signals. A single statement looks as of its beginning, and when it has to
   * wait for the row behind somebody who resumes the run, it does not see the signal it has been waiting behind.
   */
  private async releaseUnlessSignalled(
    item: Release,
    options: CallOptions | undefined,
  ): Promise<Answer<{ readonly status: Status }>> {
    const { queries, operations, now } = this.engine
    const statements = [
      queries.steps.seize.bind({ id: this.id, lease_id: this.leaseId }),
      ...operations.release.batch.bind([item], { now }),
    ]
    const [, ...released] = await this.engine.sendIn(undefined, statements, 'pause', options)
    const [row] = released.flat() as unknown as { readonly status: Status }[]
    return { row, repeated: true }
  }

  /**
   * Prolongs the lease, counted from now. Returns the new end (ms since the epoch) and whether a cancel was asked for.
   * @throws LeaseLostError also when the lease lapsed and nobody else took the message yet.
   */
  async extend(leaseMs: number, options?: CallOptions): Promise<{ expiresAt: number; cancelling: boolean }> {
    const item = { id: this.id, lease_id: this.leaseId, lease_ms: leaseMs }
    const answer = await this.engine.submit(this.engine.operations.extend, item, options)
    if (answer.row === undefined) throw await this.lost('extend')
    return { expiresAt: answer.row.vt, cancelling: answer.row.status === 'cancelling' }
  }

  /**
   * Finishes the message and drops it.
   * @throws LeaseLostError
   */
  async remove(options?: CallOptions): Promise<void> {
    const item = { id: this.id, lease_id: this.leaseId }
    const answer = await this.engine.submit(this.engine.operations.remove, item, options)
    if (answer.row === undefined && !(answer.repeated && (await this.read()) === undefined))
      throw await this.lost('delete')
    this.engine.wakeups.hint([`done:${this.queue}`])
  }

  /**
   * Finishes the message and drops it, unless it had been asked to cancel: then it ends cancelled and is kept. Returns
   * whether it was dropped.
   * @throws LeaseLostError
   */
  async removeUncancelled(): Promise<boolean> {
    const item = { id: this.id, lease_id: this.leaseId }
    const { row: deleted, repeated } = await this.engine.submit(
      this.engine.operations.removeUncancelled,
      item,
    )
    if (deleted === undefined) {
      const row = await this.read()
      if (row?.lease_id === this.leaseId && row.status === 'cancelling') {
        await this.finish({ status: 'cancelled', output: null, error: null, failed: 0 })
        return false
      }
      if (row !== undefined || !repeated) throw this.lostError('delete', row)
    }
    this.engine.wakeups.hint([`done:${this.queue}`])
    return true
  }

  /** The row as it is now. */
  async read(): Promise<MessageRow | undefined> {
    const { queries } = this.engine
    const [row] = await this.engine.run(
      queries.messages.get,
      { ids: JSON.stringify([this.id]) },
      'look at a message',
    )
    return row
  }

  private async held(): Promise<boolean> {
    const row = await this.read()
    return row?.lease_id === this.leaseId && (row.status === 'running' || row.status === 'cancelling')
  }

  /** The status after a write; when the answer of an earlier sending was lost, the row itself tells. */
  private async settled(
    answer: Answer<{ readonly status: Status }>,
    doing: string,
    done: (row: MessageRow) => boolean,
  ): Promise<Status> {
    if (answer.row !== undefined) return answer.row.status
    const row = await this.read()
    if (answer.repeated && row?.lease_id === this.leaseId && done(row)) return row.status
    throw this.lostError(doing, row)
  }

  /** The error for a hold that is gone, with what became of the message. */
  async lost(doing: string): Promise<LeaseLostError> {
    return this.lostError(doing, await this.read())
  }

  private lostError(doing: string, row: MessageRow | undefined): LeaseLostError {
    return new LeaseLostError(
      `Cannot ${doing} message ${this.id} of queue ${display(this.queue)}: ${whatBecame(row, this.leaseId)}.`,
      this.id,
    )
  }
}

function whatBecame(row: MessageRow | undefined, leaseId: string): string {
  if (row === undefined) return 'it was deleted'
  if (row.finished_at !== null) return `it has finished (${row.status})`
  if (row.lease_id !== leaseId) return 'its lease lapsed and somebody else was granted one'
  if (row.status === 'running' || row.status === 'cancelling') return 'its lease has lapsed'
  return `it was given back (${row.status})`
}
