import { RunCancelledError } from '../errors.js'
import { LazyAbort } from '../lazy-abort.js'
import type { StepKind } from '../status.js'
import type { TaskContext } from '../worker/task.js'
import type { Ending } from './ending.js'

/** What a {@link Pass} is a pass of, and who has to hear how it goes. */
export interface PassSetup {
  readonly id: string
  readonly queue: string
  /** Called when a cancel is seen: nothing may be waited for any longer. */
  readonly onCancel: () => void
  /** Called when the pass is over, however it came about. */
  readonly onOver: () => void
}

/** The state of one pass through the body of a run: whether it still goes on, why it ends, and what is told of it. */
export class Pass {
  /** Resolves when the pass ends without the body's doing. */
  readonly ended: Promise<Ending>
  /** Aborts when the run is cancelled, its lease is lost, or its worker stops. */
  readonly abort = new LazyAbort()
  private cancelSeen = false
  private isOver = false
  private resolve!: (ending: Ending) => void

  constructor(
    private readonly setup: PassSetup,
    private readonly context: TaskContext,
  ) {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve
    })
  }

  /** Whether nothing of the body may run any more. */
  get over(): boolean {
    return this.isOver
  }

  /** Whether a cancel was asked for and has been seen. */
  get cancelled(): boolean {
    return this.cancelSeen || this.context.cause() === 'cancelled'
  }

  /** Heeds the worker from now on: what it takes away ends the pass. */
  heed(): void {
    this.context.abort.onAbort((reason) => {
      this.abort.abort(reason)
      const cause = this.context.cause()
      if (cause === 'lease_lost') this.end({ kind: 'lost' })
      else if (cause === 'stop') this.end({ kind: 'let_go' })
      else this.cancel()
    })
  }

  /** Ends the pass without the body's doing; the first ending stays. */
  end(ending: Ending): void {
    this.close()
    this.resolve(ending)
  }

  /** The body has settled, or must not go on. */
  close(): void {
    this.isOver = true
    this.setup.onOver()
  }

  /** A cancel goes through the body, so that its own cleaning up runs; waits end for it. */
  readonly cancel = (): void => {
    this.cancelSeen = true
    this.abort.abort(this.cancelledError())
    this.setup.onCancel()
  }

  /** What a boundary throws at the body of a run that was cancelled. */
  cancelledError(): RunCancelledError {
    const { id, queue } = this.setup
    return new RunCancelledError(`Run ${id} of ${queue} was cancelled.`, id)
  }

  /** Tells what became of a boundary. */
  tell(
    type: 'step_started' | 'step_recorded' | 'step_replayed' | 'step_failed',
    step: { readonly name: string; readonly kind: StepKind },
  ): void {
    const { id, queue } = this.setup
    this.context.emit({ type, queue, id, step: step.name, kind: step.kind })
  }
}
