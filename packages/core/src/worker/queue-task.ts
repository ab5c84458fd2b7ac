import { encode } from '../codec/encode.js'
import { encodeError } from '../codec/error-record.js'
import { LeaseLostError, TerminalError } from '../errors.js'
import type { LazyAbort } from '../lazy-abort.js'
import type { QueueHandler } from '../queue/define-queue.js'
import { LeasedMessage, Snooze, type HandledMessage } from '../queue/message.js'
import type { Claimed } from '../queue/claimer.js'
import { nextAttemptIn } from '../retry.js'
import type { Engine } from '../store/engine.js'
import { withTimeout } from '../timeout.js'
import type { Task, TaskContext } from './task.js'

/** What a handler gets besides its message. */
class Surroundings {
  constructor(private readonly own: LazyAbort) {}

  get signal(): AbortSignal {
    return this.own.signal
  }
}

/** Runs the handler of a queue. */
export class QueueTask implements Task {
  readonly kind = 'queue'
  readonly queue: string
  readonly policy

  constructor(
    private readonly engine: Engine,
    private readonly handler: QueueHandler,
  ) {
    this.queue = handler.queue
    this.policy = handler.policy
  }

  async execute(claimed: Claimed, context: TaskContext): Promise<void> {
    try {
      let output: unknown
      try {
        output = await this.handle(claimed, context)
      } catch (error) {
        context.handled()
        await this.failed(claimed, context, error)
        return
      }
      context.handled()
      await this.handled(claimed, context, output)
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error
      context.emit({ type: 'lease_lost', queue: this.queue, id: claimed.row.id })
    }
  }

  private handle(claimed: Claimed, context: TaskContext): unknown {
    const message = new LeasedMessage<never>(claimed.row, claimed.lease)
    const view: HandledMessage<never> = message
    const what = `The handler of queue ${this.queue}`
    return withTimeout(this.engine.clock, this.policy.timeoutMs, what, context.abort, (own) =>
      this.handler.handle(view, new Surroundings(own)),
    )
  }

  private async handled(claimed: Claimed, context: TaskContext, output: unknown): Promise<void> {
    const { queue } = this
    const { id } = claimed.row
    if (output instanceof Snooze) {
      await claimed.lease.release({ delayMs: output.delayMs })
      context.emit({ type: 'released', queue, id, reason: 'snooze', inMs: output.delayMs })
      return
    }
    if (!this.policy.keep) {
      const deleted = await claimed.lease.removeUncancelled()
      context.emit({ type: deleted ? 'deleted' : 'cancelled', queue, id })
      return
    }
    let encoded: string | null
    try {
      encoded = output === undefined ? null : encode(output)
    } catch (error) {
      // Another attempt would return the same kind of thing.
      const terminal = new TerminalError(
        `The output of the handler of queue ${queue} cannot be stored: ${(error as Error).message}`,
        { cause: error },
      )
      await this.failed(claimed, context, terminal)
      return
    }
    const status = await claimed.lease.finish({ status: 'success', output: encoded, error: null, failed: 0 })
    context.emit({ type: status === 'success' ? 'archived' : 'cancelled', queue, id })
  }

  private async failed(claimed: Claimed, context: TaskContext, error: unknown): Promise<void> {
    const { queue } = this
    const { id, failures } = claimed.row
    switch (context.cause()) {
      case 'lease_lost':
        context.emit({ type: 'lease_lost', queue, id })
        return
      case 'stop':
        await claimed.lease.release({})
        context.emit({ type: 'released', queue, id, reason: 'stop', inMs: 0 })
        return
      case 'cancelled':
        await claimed.lease.finish({ status: 'cancelled', output: null, error: null, failed: 0 })
        context.emit({ type: 'cancelled', queue, id })
        return
      case undefined:
    }
    const inMs = nextAttemptIn(this.policy.retry, error, failures + 1, this.engine.random)
    if (inMs === undefined) {
      await claimed.lease.finish({ status: 'error', output: null, error: encodeError(error), failed: 1 })
      context.emit({ type: 'dead', queue, id, error })
    } else {
      await claimed.lease.release({ delayMs: inMs, error: encodeError(error), failed: true })
      context.emit({ type: 'released', queue, id, reason: 'retry', inMs, error })
    }
  }
}
