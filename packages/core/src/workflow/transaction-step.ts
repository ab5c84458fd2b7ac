import { delay } from '../clock.js'
import { LeaseLostError, PgqrsError, RunCancelledError } from '../errors.js'
import type { LazyAbort } from '../lazy-abort.js'
import type { RecordedRow, TransactionPlan } from '../store/records.js'
import type { Boundary } from './boundary.js'
import { Interruption } from './ending.js'
import type { Recorder } from './recorder.js'

const FIRST_RETRY_MS = 20

/**
 * Runs a user's transaction with the fence taken first and the checkpoint written last. A failure of the database
 * (a cut connection, a deadlock, a lost answer to COMMIT) is no failure of the step: it is resolved and repeated here.
 */
export class TransactionStep {
  constructor(
    private readonly recorder: Recorder,
    private readonly boundary: Boundary,
    private readonly limitMs: number,
    /** Told when the fence or the recorded checkpoint says that a cancel was asked for; nothing is begun then. */
    private readonly onCancelling: () => void,
  ) {}

  /**
   * Returns the recorded output, encoded.
   * @param own aborts when nobody waits for it any more.
   * @throws what the body throws; Interruption
   */
  async run(body: (tx: unknown) => unknown, own: LazyAbort): Promise<string> {
    const { engine } = this.recorder
    const giveUpAt = engine.clock.monotonic() + engine.config.connectionTimeoutMs
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, 1000)) {
      try {
        return await this.commit(body)
      } catch (error) {
        if (this.isLost(error)) throw new Interruption({ kind: 'lost' })
        const { kind } = engine.failureOf(error)
        const passing = kind === 'broken' || kind === 'unsent' || kind === 'retry'
        if (!passing) throw error
        if (engine.clock.monotonic() > giveUpAt) {
          // What the body threw may be about something else that looks like the database: that is a failed attempt.
          throw error instanceof PgqrsError ? new Interruption({ kind: 'trouble', error }) : error
        }
        await delay(engine.clock, wait * (0.5 + engine.random.fraction()), { signal: own.signal })
        const recorded = kind === 'broken' ? await this.committed() : undefined
        if (recorded !== undefined) return recorded
      }
    }
  }

  private async commit(body: (tx: unknown) => unknown): Promise<string> {
    const { engine } = this.recorder
    const { record } = engine.operations
    const fenced = this.fenced(this.limitMs)
    let output = ''
    const asked = { cancelling: false }
    await engine.transaction(
      {
        ...fenced,
        check: (rows) => {
          fenced.check(rows)
          if (rows[0]?.status !== 'cancelling') return
          this.onCancelling()
          throw new RunCancelledError('The run was asked to cancel.', this.recorder.claimed.row.id)
        },
        work: body,
        after: (value) => {
          output = this.recorder.encoded(this.boundary, value)
          const checkpoint = this.recorder.checkpoint(this.boundary, 'success', { output })
          return record.batch.bind([checkpoint], { now: engine.now })
        },
        checkAfter: (rows) => {
          const [row] = rows.flat() as unknown as RecordedRow[]
          if (row === undefined) throw this.lost()
          asked.cancelling = row.run_status === 'cancelling'
        },
      },
      'transactional step',
    )
    // Asked for while the body was at work: what is committed stays, and nothing is begun after it.
    if (asked.cancelling) this.onCancelling()
    return output
  }

  /**
   * Whether a COMMIT whose answer was lost took effect. Taking the run's row lock proves that the old backend, which
   * held it, has ended one way or the other; what is there then stays.
   */
  private async committed(): Promise<string | undefined> {
    const { engine, history } = this.recorder
    try {
      const plan = {
        ...this.fenced(engine.config.connectionTimeoutMs, 'seize'),
        work: () => undefined,
        after: () => [],
        checkAfter: () => undefined,
      }
      await engine.transaction(plan, 'resolve a lost commit')
      await this.recorder.refresh()
      return history.visit(this.boundary.name, 'transaction')?.output ?? undefined
    } catch (error) {
      throw new Interruption(this.isLost(error) ? { kind: 'lost' } : { kind: 'trouble', error })
    }
  }

  /** The beginning of a transaction that holds the fence. */
  private fenced(
    limitMs: number,
    fence: 'hold' | 'seize' = 'hold',
  ): Pick<TransactionPlan<unknown, unknown>, 'before' | 'check' | 'limitMs'> {
    const { engine, claimed } = this.recorder
    return {
      before: engine.queries.steps[fence].bind({ id: claimed.row.id, lease_id: claimed.lease.leaseId }),
      check: (rows) => {
        if (rows.length === 0) throw this.lost()
      },
      limitMs,
    }
  }

  // The body may throw one that is about another message.
  private isLost(error: unknown): boolean {
    return error instanceof LeaseLostError && error.id === this.recorder.claimed.row.id
  }

  private lost(): LeaseLostError {
    const { id } = this.recorder.claimed.row
    return new LeaseLostError(`The lease on run ${id} was lost.`, id)
  }
}
