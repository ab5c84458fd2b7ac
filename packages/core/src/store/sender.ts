import { delay, type Clock } from '../clock.js'
import type { Driver, Execute, Failure, TransactionPlan } from '../db/driver.js'
import type { Row, Statement } from '../db/statement.js'
import { AbortedError, AmbiguousCommitError, type PgqrsError } from '../errors.js'
import type { Random } from '../random.js'
import { toPgqrsError } from './failures.js'
import { Underway } from './underway.js'

/** What sending came to. */
export interface Sent {
  /** The rows of each statement. */
  readonly rows: Row[][]
  /** The connection broke, and they were sent again: an earlier sending may have taken effect. */
  readonly repeated: boolean
}

/** What a {@link Sender} needs to know of its store. */
export interface SenderSetup {
  readonly clock: Clock
  readonly random: Random
  /** For how long a failure that may pass is met by sending again, in ms. */
  readonly connectionTimeoutMs: number
  /** Aborts when the store closes: nothing is sent again after it. */
  readonly closed: AbortSignal
  /** Called when the database says that the tables are not there. */
  readonly onNotInstalled: () => void
}

const FIRST_RETRY_MS = 20
const LONGEST_RETRY_MS = 1000

/**
 * The way to the driver: repeats what may be repeated, says so when nobody knows whether something took effect, and
 * makes errors of pgqrs of the failures of the database.
 */
export class Sender {
  private readonly underway = new Underway()

  constructor(
    private readonly driver: Driver,
    private readonly setup: SenderSetup,
  ) {}

  /**
   * Executes statements, all or none. Sends them again after a failure that may pass, within the connection timeout.
   * @param statements the statements, or how to make them: others when an earlier sending may have taken effect.
   * @param signal gives up when it aborts. What was sent already may still take effect.
   * @throws AmbiguousCommitError when the connection broke and did not come back in time
   */
  send(
    statements: readonly Statement[] | ((repeated: boolean) => readonly Statement[]),
    doing: string,
    signal?: AbortSignal,
  ): Promise<Sent> {
    const bind = typeof statements === 'function' ? statements : () => statements
    return this.underway.during(() => this.sendPatiently(bind, doing, signal))
  }

  /** Executes statements in a transaction of the caller's, once: it is the caller's to repeat. */
  async sendWithin(execute: Execute, statements: readonly Statement[], doing: string): Promise<Row[][]> {
    try {
      return await execute(statements)
    } catch (error) {
      throw this.wrap(error, doing)
    }
  }

  /** Runs a user's transaction with the plan's statements around it, once. */
  async transaction<T>(plan: TransactionPlan<unknown, T>, doing: string): Promise<T> {
    let thrown: { readonly error: unknown } | undefined
    const work = (tx: unknown): T | Promise<T> => {
      const remember = (error: unknown): never => {
        thrown = { error }
        throw error
      }
      try {
        const value = plan.work(tx)
        return value instanceof Promise ? value.catch(remember) : value
      } catch (error) {
        return remember(error)
      }
    }
    try {
      return await this.underway.during(() => this.driver.transaction({ ...plan, work }))
    } catch (error) {
      // What the user's code threw is the user's, even when the database threw it at the user's code.
      if (thrown !== undefined && thrown.error === error) throw error
      throw this.wrap(error, doing)
    }
  }

  /**
   * Resolves when nothing is on its way and nothing follows by itself.
   * @param elsewhere what waits to be sent.
   */
  over(elsewhere: { readonly quiet: boolean; idle(): Promise<void> }): Promise<void> {
    return this.underway.over(this.setup.clock, elsewhere)
  }

  private async sendPatiently(
    bind: (repeated: boolean) => readonly Statement[],
    doing: string,
    signal: AbortSignal | undefined,
  ): Promise<Sent> {
    const { clock, random, closed, connectionTimeoutMs, onNotInstalled } = this.setup
    const giveUpAt = clock.monotonic() + connectionTimeoutMs
    let repeated = false
    let statements = bind(repeated)
    for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      if (signal?.aborted === true) throw aborted(doing, signal)
      try {
        return { rows: await this.driver.execute(statements), repeated }
      } catch (error) {
        const failure = this.driver.classify(error)
        if (failure.kind === 'broken' && !repeated) {
          repeated = true
          statements = bind(repeated)
        }
        const pause = wait * (0.5 + random.fraction())
        const late = clock.monotonic() + pause > giveUpAt
        if (!passes(failure) || late || closed.aborted) {
          if (repeated && writes(statements) && failure.kind !== 'unique') throw this.ambiguous(error, doing)
          if (failure.kind === 'not_installed') onNotInstalled()
          throw toPgqrsError(this.driver, error, failure, doing)
        }
        await this.pause(pause, signal)
      }
    }
  }

  private async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await delay(this.setup.clock, ms, { signal })
    } catch {
      // The loop looks at the signal itself.
    }
  }

  private ambiguous(cause: unknown, doing: string): AmbiguousCommitError {
    return new AmbiguousCommitError(
      `The connection to ${this.driver.target} broke while sending (${doing}) and could not be had again within ` +
        `${this.setup.connectionTimeoutMs} ms: it may or may not have taken effect.`,
      [],
      { cause },
    )
  }

  private wrap(error: unknown, doing: string): PgqrsError {
    return toPgqrsError(this.driver, error, this.driver.classify(error), doing)
  }
}

/** The error of a call whose signal aborted. */
export function aborted(doing: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`The call was aborted (${doing}).`, { cause: signal.reason })
}

function passes(failure: Failure): boolean {
  return failure.kind === 'unsent' || failure.kind === 'broken' || failure.kind === 'retry'
}

function writes(statements: readonly Statement[]): boolean {
  return statements.some((statement) => !statement.reads)
}
