import { delay } from '../clock.js'
import { LeaseLostError } from '../errors.js'
import type { NewCheckpoint, RecordedRow } from '../queries/steps.js'
import { Interruption, type Execution } from './execution.js'

const FIRST_RETRY_MS = 20

/**
 * Runs a user's transaction with the fence taken first and the checkpoint written last. A failure of the database
 * (a cut connection, a deadlock, a lost answer to COMMIT) is no failure of the step: it is resolved and repeated here.
 */
export class TransactionStep {
  constructor(
    private readonly execution: Execution,
    private readonly limitMs: number,
  ) {}

  /** Returns the recorded output, encoded. @throws what the body throws. */
  async run(checkpoint: (value: unknown) => NewCheckpoint, body: (tx: unknown) => unknown): Promise<string> {
    const { engine } = this.execution
    const giveUpAt = engine.clock.monotonic() + engine.config.connectionTimeoutMs
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, 1000)) {
      let made: NewCheckpoint | undefined
      try {
        await this.commit(body, (value) => (made = checkpoint(value)))
        return made?.output ?? ''
      } catch (error) {
        if (error instanceof LeaseLostError) throw new Interruption({ kind: 'lost' })
        const { kind } = engine.failureOf(error)
        const passing = kind === 'broken' || kind === 'unsent' || kind === 'retry'
        if (!passing) throw error
        if (engine.clock.monotonic() > giveUpAt) throw new Interruption({ kind: 'trouble', error })
        await delay(engine.clock, wait * (0.5 + engine.random.fraction()))
        const recorded = made === undefined ? undefined : await this.committed(made.name)
        if (recorded !== undefined) return recorded
      }
    }
  }

  private commit(
    body: (tx: unknown) => unknown,
    checkpoint: (value: unknown) => NewCheckpoint,
  ): Promise<unknown> {
    const { engine } = this.execution
    const { steps } = engine.queries
    const { record } = engine.operations
    return engine.transaction(
      {
        before: steps.hold.bind({ id: this.execution.id, lease_id: this.execution.claimed.lease.leaseId }),
        check: (rows) => {
          if (rows.length === 0) throw this.lost()
        },
        work: body,
        after: (value) => record.batch.bind([checkpoint(value)], { now: engine.now }),
        checkAfter: (rows) => {
          const [row] = rows.flat() as unknown as RecordedRow[]
          if (row === undefined) throw this.lost()
        },
        limitMs: this.limitMs,
      },
      'transactional step',
    )
  }

  /**
   * Whether a COMMIT whose answer was lost took effect. Taking the run's row lock proves that the old backend, which
   * held it, has ended one way or the other; what is there then stays.
   */
  private async committed(name: string): Promise<string | undefined> {
    const { engine } = this.execution
    const hold = engine.queries.steps.hold.bind({
      id: this.execution.id,
      lease_id: this.execution.claimed.lease.leaseId,
    })
    try {
      await engine.transaction(
        {
          before: hold,
          check: (rows) => {
            if (rows.length === 0) throw this.lost()
          },
          work: () => undefined,
          after: () => [],
          checkAfter: () => undefined,
          limitMs: engine.config.connectionTimeoutMs,
        },
        'resolve a lost commit',
      )
      this.execution.history.add(await this.execution.readHistory())
      return this.execution.history.visit(name, 'transaction')?.output ?? undefined
    } catch (error) {
      if (error instanceof LeaseLostError) throw new Interruption({ kind: 'lost' })
      throw new Interruption({ kind: 'trouble', error })
    }
  }

  private lost(): LeaseLostError {
    return new LeaseLostError(`The lease on run ${this.execution.id} was lost.`, this.execution.id)
  }
}
