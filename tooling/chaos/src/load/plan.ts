import type { EnqueuedMessage } from '@pgqrs/checker'
import { Dice } from '../dice.js'
import type { Call, PlannedCall } from './calls.js'
import { accounts, lists, type ByHand, type Poison, type Transfer, type Work } from './payloads.js'
import type { QueueName, WorkflowName } from './policies.js'

/** How much of what the load has; what is left out does not occur. */
export interface LoadShape {
  /** Calls that bring something in, each second. */
  readonly perSecond: number
  /** How often each kind of call is made, in relation to the others. */
  readonly weights: Readonly<Partial<Record<Kind, number>>>
  /** The roles that make these calls. */
  readonly producers: readonly string[]
  /** How long the load lasts, ms. */
  readonly forMs: number
}

const kinds = {
  work: 10,
  many: 1,
  keyed: 2,
  order: 3,
  hand: 3,
  poison: 0.5,
  transfer: 5,
  batch: 1.5,
  nap: 2,
  ask: 2,
  flaky: 1.5,
  // Longer than the grace of a stop, so only where nobody stops.
  slow: 0,
  slowTransfer: 0,
} as const
export type Kind = keyof typeof kinds
type RunKind = 'transfer' | 'batch' | 'nap' | 'ask' | 'flaky'

/** The load with everything in it. */
export const everything: Readonly<Record<Kind, number>> = kinds

// Ids of one seed are alike in every run of it, whatever the date.
const FIRST_ID_MS = Date.UTC(2026, 0, 1)

/** All calls of a load, in the order of their times. The same seed and shape give the same plan. */
export function planLoad(seed: number, shape: LoadShape): PlannedCall[] {
  const planner = new Planner(Dice.of(seed, 'load'), shape)
  return planner.plan().sort((a, b) => a.atMs - b.atMs)
}

class Planner {
  private n = 0
  private readonly calls: PlannedCall[] = []
  private readonly kinds: readonly Kind[]

  constructor(
    private readonly dice: Dice,
    private readonly shape: LoadShape,
  ) {
    // A pick from a list in which each kind stands as often as its weight says.
    this.kinds = Object.entries(shape.weights).flatMap(([kind, weight]) =>
      Array.from({ length: Math.round(weight * 10) }, () => kind as Kind),
    )
  }

  plan(): PlannedCall[] {
    const { forMs, perSecond, producers } = this.shape
    for (let atMs = 0; atMs < forMs; atMs += ((0.5 + this.dice.fraction()) * 1000) / perSecond) {
      const by = this.dice.pick(producers)
      this.bringIn(this.dice.pick(this.kinds), Math.round(atMs), by)
    }
    for (let atMs = 3000; atMs < forMs; atMs += 4000)
      this.operator(atMs, { what: 'retry', queue: 'chaos_work' })
    return this.calls
  }

  private bringIn(kind: Kind, atMs: number, by: string): void {
    const { dice } = this
    const add = (call: Call): void => void this.calls.push({ atMs, by, call })
    switch (kind) {
      case 'work':
        add({ what: 'enqueue', kind: 'queue', messages: [this.work(atMs, 'chaos_work')] })
        break
      case 'slow': {
        const payload: Work = { n: this.n++, does: 'return', ms: dice.whole(1500, 2500) }
        add({ what: 'enqueue', kind: 'queue', messages: [this.message(atMs, 'chaos_work', payload)] })
        break
      }
      case 'slowTransfer': {
        const payload = { ...this.transfer(), receiptMs: dice.whole(1500, 2500) }
        add({ what: 'enqueue', kind: 'workflow', messages: [this.message(atMs, 'chaos_transfer', payload)] })
        break
      }
      case 'many': {
        const messages = Array.from({ length: dice.whole(2, 8) }, () => this.work(atMs, 'chaos_work'))
        add({ what: 'enqueue', kind: 'queue', messages, batch: true })
        break
      }
      case 'keyed':
        this.keyed(atMs, by)
        break
      case 'order': {
        const commits = dice.chance(0.8)
        const messages = Array.from({ length: dice.whole(1, 2) }, () => this.work(atMs, 'chaos_orders'))
        const within = { witness: `order-${this.n++}`, commits }
        add({ what: 'enqueue', kind: 'queue', messages, within, batch: messages.length > 1 })
        break
      }
      case 'hand':
        add({ what: 'enqueue', kind: 'queue', messages: [this.byHand(atMs)] })
        break
      case 'poison': {
        const does = dice.pick(['throw', 'exit', 'loop', 'unstorable'] as const)
        const payload: Poison = { n: this.n++, does }
        add({ what: 'enqueue', kind: 'queue', messages: [this.message(atMs, 'chaos_poison', payload)] })
        break
      }
      default:
        this.run(kind, atMs, by)
    }
  }

  private work(atMs: number, queue: QueueName): EnqueuedMessage {
    const { dice } = this
    const does = dice.chance(0.75) ? 'return' : dice.pick(['fail-once', 'fail', 'snooze'] as const)
    const payload: Work = {
      n: this.n++,
      does,
      ms: dice.chance(0.1) ? dice.whole(300, 900) : dice.whole(0, 40),
    }
    return this.message(atMs, queue, payload, {
      ...(dice.chance(0.2) ? { delayMs: dice.whole(200, 3000) } : {}),
      ...(dice.chance(0.15) ? { priority: dice.whole(-1, 2) } : {}),
    })
  }

  private byHand(atMs: number): EnqueuedMessage {
    const { dice } = this
    const rare = ['delete', 'fail', 'release', 'release', 'forget', 'late'] as const
    const payload: ByHand = {
      n: this.n++,
      does: dice.chance(0.5) ? 'archive' : dice.pick(rare),
      ms: dice.whole(0, 300),
      prolongs: dice.chance(0.3),
      delayMs: dice.chance(0.5) ? dice.whole(100, 1500) : 0,
    }
    return this.message(atMs, 'chaos_hand', payload, {
      ...(dice.chance(0.15) ? { priority: dice.whole(-1, 2) } : {}),
    })
  }

  /** Two or three calls with one key, shortly after each other and by different producers. */
  private keyed(atMs: number, by: string): void {
    const { dice, shape } = this
    const key = `key-${this.n}`
    const delayMs = dice.pick([100, 400])
    const onConflict = dice.pick(['ignore', 'reject', 'replace'] as const)
    for (let i = 0; i < dice.whole(2, 3); i++) {
      // One delay for all: who replaces another does not make it early.
      const { delayMs: _, ...own } = this.work(atMs, 'chaos_work')
      const message = { ...own, key, delayMs }
      this.calls.push({
        atMs: atMs + i * dice.whole(0, 150),
        by: i === 0 ? by : dice.pick(shape.producers),
        call: { what: 'enqueue', kind: 'queue', messages: [message], onConflict },
      })
    }
  }

  private run(kind: RunKind, atMs: number, by: string): void {
    const { dice } = this
    const queue: WorkflowName = `chaos_${kind}`
    const message = this.message(atMs, queue, this.input(kind), {
      ...(dice.chance(0.2) ? { key: `run-${this.n}` } : {}),
      ...(dice.chance(0.1) ? { delayMs: dice.whole(200, 2000) } : {}),
    })
    const call: Call = { what: 'enqueue', kind: 'workflow', messages: [message] }
    this.calls.push({ atMs, by, call })
    // The same trigger again: the run that is there is what both get.
    if (message.key !== undefined && dice.chance(0.5)) {
      const again = { ...message, id: dice.id(FIRST_ID_MS + atMs) }
      this.calls.push({ atMs: atMs + dice.whole(0, 400), by, call: { ...call, messages: [again] } })
    }
    this.attend(kind, message.id, queue, atMs)
  }

  /** What an operator does to a run: answers it, cancels it, waits for its result. */
  private attend(kind: string, id: string, queue: string, atMs: number): void {
    const { dice } = this
    if (kind === 'ask' && dice.chance(0.7)) {
      for (let i = 0; i < dice.whole(1, 2); i++) {
        const payload = JSON.stringify(`answer-${this.n++}`)
        this.operator(atMs + dice.whole(50, 2500), { what: 'signal', id, queue, step: 'answer', payload })
      }
    }
    if (dice.chance(0.12)) this.operator(atMs + dice.whole(20, 1500), { what: 'cancel', id, queue })
    if (dice.chance(0.2)) {
      this.operator(atMs + dice.whole(100, 2000), { what: 'result', id, queue })
      this.operator(atMs + dice.whole(100, 2000), { what: 'result', id, queue })
    }
    if (dice.chance(0.15)) this.operator(atMs + dice.whole(0, 1500), { what: 'status', id, queue })
  }

  private operator(atMs: number, call: Call): void {
    this.calls.push({ atMs, by: 'operator-1', call })
  }

  private pair(): { from: string; to: string } {
    const [from = 'ada', to = 'ben'] = this.dice.shuffled(accounts)
    return { from, to }
  }

  private transfer(): Transfer {
    const { dice } = this
    const asynchronous = dice.chance(0.5)
    return {
      n: this.n++,
      ...this.pair(),
      amount: dice.whole(1, 20),
      list: dice.pick(lists),
      disorderly: dice.chance(0.1),
      asynchronous,
      ms: asynchronous && dice.chance(0.2) ? dice.whole(20, 200) : 0,
      receiptMs: dice.chance(0.25) ? dice.whole(300, 900) : 0,
    }
  }

  private input(kind: RunKind): object {
    const { dice } = this
    if (kind === 'transfer') return this.transfer()
    const n = this.n++
    switch (kind) {
      case 'batch':
        return {
          n,
          pairs: Array.from({ length: dice.whole(2, 4) }, () => this.pair()),
          amount: dice.whole(1, 5),
        }
      case 'nap':
        return { n, naps: Array.from({ length: dice.whole(1, 2) }, () => dice.whole(100, 2500)) }
      case 'ask':
        return { n, timeoutMs: dice.whole(500, 4000) }
      case 'flaky':
        return { n, stepFails: dice.whole(0, 3), runFails: dice.whole(0, 2) }
    }
  }

  private message(
    atMs: number,
    queue: QueueName | WorkflowName,
    payload: object,
    more: Partial<EnqueuedMessage> = {},
  ): EnqueuedMessage {
    return { id: this.dice.id(FIRST_ID_MS + atMs), queue, payload: JSON.stringify(payload), ...more }
  }
}
