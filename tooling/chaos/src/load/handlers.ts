import { randomUUID } from 'node:crypto'
import { takingTime } from './taking-time.js'
import {
  defineQueue,
  type DriverTransaction,
  type HandledMessage,
  type HandlerOptions,
  type MessageHandler,
  type QueueHandler,
  type Run,
  type Runnable,
} from '@pgqrs/core'
import type { HistoryWriter } from '@pgqrs/checker'
import type { Orders } from '../processes/orders.js'
import type { Witness } from '../processes/witnessed-driver.js'
import { Bodies } from './bodies.js'
import { POISONED } from './poisoned.js'
import type { Poison, Work } from './payloads.js'
import { LEASE_MS, NEVER_POISON, ownQueue, queuePolicies } from './policies.js'
import { WatchedRun, type Pass } from './watched-run.js'
import { workflowsOf } from './workflows.js'

/** What surrounds the handlers of a process. */
export interface Surroundings {
  readonly history: HistoryWriter
  readonly witness: Witness
  readonly orders: Orders
  /** Sabotage: see {@link Pass}. */
  readonly sharesKeyedSteps: boolean
}

/** Everything that the worker in this place works on. */
export function runnables(around: Surroundings, role: string): Runnable<DriverTransaction>[] {
  const bodies = new Bodies(around.history)
  return [
    handled(ownQueue(role), { maxCrashes: NEVER_POISON }, around, bodies, () => role),
    handled('chaos_work', queuePolicies.chaos_work, around, bodies, work),
    handled('chaos_orders', queuePolicies.chaos_orders, around, bodies, work),
    handled('chaos_poison', queuePolicies.chaos_poison, around, bodies, poison(around.history)),
    ...workflowsOf((run, input, body) => watched(around, bodies, run, input, body)),
  ]
}

function handled<Payload>(
  name: string,
  policy: HandlerOptions,
  { witness, orders }: Surroundings,
  bodies: Bodies,
  handle: MessageHandler<Payload>,
): QueueHandler {
  return defineQueue<Payload>(name, policy).handler((message, context) => {
    const { lease, claims } = witness.grant(message.id)
    const of = { of: 'message', id: message.id, lease } as const
    const { key } = message
    const more = {
      attempt: claims,
      payload: JSON.stringify(message.payload),
      ...(key === undefined ? {} : { key }),
    }
    return bodies.around(of, more, () => {
      orders.reached('in-step-body')
      return handle(message, context)
    })
  })
}

async function work(message: HandledMessage<Work>): Promise<unknown> {
  const { payload, attempt } = message
  const first = attempt === 1
  // Ignores its signal: a holder that lost its lease goes on, as users' code does.
  await takingTime(payload.ms)
  if (payload.does === 'fail' || (payload.does === 'fail-once' && first)) {
    throw new Error(`message ${payload.n} fails at attempt ${attempt}`)
  }
  if (payload.does === 'snooze' && message.enqueuedAt.getTime() > Date.now() - 1000) {
    return message.snooze(400)
  }
  return `${payload.n}:${randomUUID().slice(0, 8)}`
}

function poison(history: HistoryWriter): MessageHandler<Poison> {
  return ({ id, payload }) => {
    if (payload.does === 'throw') throw new Error('poison')
    if (payload.does === 'unstorable') throw unstorable()
    history.append({ kind: 'mark', what: 'fault', detail: `poison: ${payload.does}`, target: id })
    if (payload.does === 'exit') process.exit(POISONED)
    // A watchdog puts an end to what keeps the event loop from ever turning again.
    const until = performance.now() + 1.5 * LEASE_MS
    while (performance.now() < until);
    process.exit(POISONED)
  }
}

/** An error of which nothing can be stored as it is. */
function unstorable(): unknown {
  const error = new Error('NUL \u0000, half a pair \ud800, and a cycle')
  Object.assign(error, { self: error, big: 2n, nothing: () => undefined })
  Object.defineProperty(error, 'code', {
    enumerable: true,
    get: () => {
      throw new Error('not even this')
    },
  })
  return error
}

async function watched<Input, T>(
  { history, witness, orders, sharesKeyedSteps }: Surroundings,
  bodies: Bodies,
  run: Run<DriverTransaction>,
  input: Input,
  body: (run: WatchedRun, pass: Pass) => Promise<T>,
): Promise<T> {
  const { lease, claims } = witness.grant(run.id)
  const pass: Pass = { run, lease, history, bodies, reached: orders.reached, sharesKeyedSteps }
  const of = { of: 'run', id: run.id, lease } as const
  return bodies.around(of, { attempt: claims, payload: JSON.stringify(input) }, () =>
    body(new WatchedRun(pass), pass),
  )
}
