import { AmbiguousCommitError, PgqrsError } from '@pgqrs/core'
import type { Operation, OperationValue } from '@pgqrs/checker'
import type { Life } from './life.js'
import type { Recorder } from './recorder.js'

/** How a call ended, or that nobody lives who could tell. */
export type Outcome = 'ok' | 'fail' | 'unknown'

/** A public call that was begun and has not ended. */
export interface OpenCall {
  readonly op: string
  readonly life: Life
  readonly what: string
}

/** Makes public calls and writes down what came of them. */
export class Requests {
  /** Calls whose promise has not settled; a dead process's never will. */
  readonly open = new Map<string, OpenCall>()

  constructor(private readonly recorder: Recorder) {}

  /** Makes a call in a life; `ended` is told once, by that life. */
  make<T>(
    life: Life,
    operation: Operation,
    work: () => Promise<T>,
    valueOf: (value: T) => OperationValue,
    ended: (outcome: Outcome, value: T | undefined, error: unknown) => void = () => undefined,
  ): void {
    const { recorder } = this
    const op = recorder.unique('op-')
    recorder.add({ ...recorder.seen(life), kind: 'invoke', op, ...operation })
    this.open.set(op, { op, life, what: operation.name })
    const settle = (
      outcome: Outcome,
      more: { readonly value?: OperationValue; readonly error?: string },
    ): void => {
      this.open.delete(op)
      recorder.add({ ...recorder.seen(life), kind: 'settle', op, outcome, ...more })
    }
    begun(work).then(
      (value) => {
        settle('ok', { value: valueOf(value) })
        ended('ok', value, undefined)
      },
      (error: unknown) => {
        const outcome = error instanceof AmbiguousCommitError ? 'unknown' : 'fail'
        settle(outcome, { error: error instanceof PgqrsError ? error.code : String(error) })
        ended(outcome, undefined, error)
      },
    )
  }
}

// The call is made here and now; what it throws at once is an answer like any other.
function begun<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (error) {
    return Promise.reject(error)
  }
}
