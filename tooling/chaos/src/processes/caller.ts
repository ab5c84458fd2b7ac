import {
  defineWorkflow,
  RunCancelledError,
  RunFailedError,
  type DriverTransaction,
  type Store,
  type WorkflowDefinition,
} from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import type { EnqueuedMessage, HistoryWriter, Operation, OperationValue } from '@pgqrs/checker'
import type { Call } from '../load/calls.js'
import { witnessOf } from '../load/user-sql.js'
import { Noted } from './noted.js'
import type { ProcessSetup } from './setup.js'
import { inOwnTransaction, type Ended } from './user-transactions.js'

type Enqueue = Extract<Call, { what: 'enqueue' }>

const RESULT_TIMEOUT_MS = 8000

/** Makes calls of the public API and notes each with its outcome. */
export class Caller {
  private readonly noted: Noted
  private readonly underWay = new Set<Promise<void>>()

  constructor(
    private readonly setup: ProcessSetup,
    private readonly store: Store<DriverTransaction>,
    private readonly driver: Driver,
    private readonly history: HistoryWriter,
  ) {
    this.noted = new Noted(setup.name, history)
  }

  /** Begins a call. What becomes of it is noted in the history. */
  begin(call: Call): void {
    const made = this.make(call)
    this.underWay.add(made)
    void made.finally(() => this.underWay.delete(made))
  }

  /** Resolves when every call has ended. */
  async idle(): Promise<void> {
    while (this.underWay.size > 0) await Promise.all(this.underWay)
  }

  private async make(call: Call): Promise<void> {
    switch (call.what) {
      case 'enqueue':
        await this.enqueue(call)
        return
      case 'cancel':
        await this.noted.call({ name: 'cancel', id: call.id }, async () => ({
          status: await this.run(call).cancel('by the load'),
        }))
        return
      case 'status':
        await this.noted.call({ name: 'status', id: call.id }, async () => ({
          status: await this.run(call).status(),
        }))
        return
      case 'result':
        await this.noted.call({ name: 'result', id: call.id }, () => this.result(call))
        return
      case 'signal': {
        const { id, step, payload } = call
        await this.noted.call({ name: 'signal', id, step, payload }, async () => ({
          taken: await this.run(call).resume(step, JSON.parse(payload)),
        }))
        return
      }
      case 'retry':
        await this.retry(call.queue)
    }
  }

  private async enqueue(call: Enqueue): Promise<void> {
    const { messages, onConflict, batch, within } = call
    const operation: Operation = {
      name: 'enqueue',
      messages,
      ...(onConflict === undefined ? {} : { onConflict }),
      ...(batch === true ? { batch } : {}),
      ...(within === undefined ? {} : { witness: within.witness }),
    }
    if (within === undefined) {
      await this.noted.call(operation, async () => ({ ids: await this.send(call, undefined) }))
      return
    }
    await this.notedTransaction(operation, async () => {
      let ids: string[] = []
      const ended = await inOwnTransaction(
        this.driver,
        this.setup,
        witnessOf(within.witness),
        within.commits,
        async (tx) => {
          ids = await this.send(call, tx)
        },
      )
      return { ended, ids }
    })
  }

  private async send(call: Enqueue, tx: DriverTransaction | undefined): Promise<string[]> {
    const { messages, onConflict, batch, kind } = call
    const [first] = messages
    if (first === undefined) return []
    const within = tx === undefined ? {} : { tx }
    if (kind === 'workflow') {
      const { id } = await this.store.trigger(workflow(first.queue), JSON.parse(first.payload), {
        ...optionsOf(first),
        ...within,
      })
      return [id]
    }
    const producer = this.store.producer<unknown>(first.queue)
    const conflict = onConflict === undefined ? {} : { onConflict }
    if (batch !== true) {
      return [
        await producer.enqueue(JSON.parse(first.payload), { ...optionsOf(first), ...conflict, ...within }),
      ]
    }
    const payloads = messages.map((message) => JSON.parse(message.payload) as unknown)
    const each = (_: unknown, i: number): object => ({ ...optionsOf(messages[i] ?? first), ...conflict })
    return producer.enqueueMany(payloads, { each, ...within })
  }

  private async result(call: { readonly id: string; readonly queue: string }): Promise<OperationValue> {
    try {
      const output = await this.run(call).result({ timeout: RESULT_TIMEOUT_MS })
      return { status: 'success', ...(output === undefined ? {} : { output: JSON.stringify(output) }) }
    } catch (error) {
      if (error instanceof RunCancelledError) return { status: 'cancelled' }
      if (error instanceof RunFailedError) return { status: 'error' }
      throw error
    }
  }

  /** An operator puts some of the dead letters of a queue back. */
  private async retry(queue: string): Promise<void> {
    let dead: readonly { readonly id: string }[] = []
    await this.noted.call({ name: 'other', what: 'list dead letters' }, async () => {
      dead = (await this.store.admin.dead.list({ queue, limit: 2 })).items
      return {}
    })
    for (const { id } of dead) {
      await this.noted.call({ name: 'retry', id }, async () => {
        await this.store.admin.dead.replay(id)
        return { taken: true }
      })
    }
  }

  private run({ id, queue }: { readonly id: string; readonly queue: string }) {
    return this.store.run(workflow(queue), id)
  }

  private async notedTransaction(
    operation: Operation,
    work: () => Promise<{ readonly ended: Ended; readonly ids: string[] }>,
  ): Promise<void> {
    const op = this.noted.invoke(operation)
    try {
      const { ended, ids } = await work()
      const { how, error } = ended
      if (how === 'committed') {
        this.history.append({ kind: 'settle', op, outcome: 'ok', value: { ids } })
        return
      }
      const outcome = how === 'unknown' ? 'unknown' : 'fail'
      this.history.append({ kind: 'settle', op, outcome, ...(error === undefined ? {} : { error }) })
    } catch (error) {
      this.noted.failed(op, error)
    }
  }
}

function optionsOf({ id, key, delayMs, priority }: EnqueuedMessage): object {
  return {
    id,
    ...(key === undefined ? {} : { key }),
    ...(delayMs === undefined ? {} : { delay: delayMs }),
    ...(priority === undefined ? {} : { priority }),
  }
}

/** A workflow by name; its body is the workers' business. */
function workflow(name: string): WorkflowDefinition<unknown, unknown, DriverTransaction, never> {
  return defineWorkflow<unknown>(name, () => undefined) as WorkflowDefinition<
    unknown,
    unknown,
    DriverTransaction,
    never
  >
}
