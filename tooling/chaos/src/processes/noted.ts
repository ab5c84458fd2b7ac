import { AmbiguousCommitError, PgqrsError } from '@pgqrs/core'
import type { HistoryWriter, Operation, OperationValue } from '@pgqrs/checker'

// Every call ends long before, or something hangs.
const SETTLES_WITHIN_MS = 45_000

/** Notes the calls of one process, each with its outcome. */
export class Noted {
  private n = 0

  /** `name`: whose calls they are, unlike all others of the run. */
  constructor(
    private readonly name: string,
    private readonly history: HistoryWriter,
  ) {}

  /** Makes a call. Undefined when it failed, whatever the reason. */
  async call<Value extends OperationValue>(
    operation: Operation,
    work: () => Promise<Value>,
  ): Promise<Value | undefined> {
    const op = this.invoke(operation)
    try {
      const value = await work()
      this.history.append({ kind: 'settle', op, outcome: 'ok', value })
      return value
    } catch (error) {
      this.failed(op, error)
      return undefined
    }
  }

  /** Notes that a call begins, and returns its name. */
  invoke(operation: Operation): string {
    const op = `${this.name}/${++this.n}`
    this.history.append({ kind: 'invoke', op, timeoutMs: SETTLES_WITHIN_MS, ...operation })
    return op
  }

  /** Notes that a call has failed, for certain or perhaps. */
  failed(op: string, error: unknown): void {
    const outcome = error instanceof AmbiguousCommitError ? 'unknown' : 'fail'
    const code = error instanceof PgqrsError ? error.code : String(error)
    this.history.append({ kind: 'settle', op, outcome, error: code })
  }
}
