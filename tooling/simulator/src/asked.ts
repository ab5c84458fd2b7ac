import type { Outcome } from './requests.js'
import type { Job, Plan } from './workload.js'

/** A message that was asked for, and what the model knows of it. */
export interface Asked {
  readonly id: string
  readonly queue: 'jobs' | 'parcels' | 'flow'
  readonly payload: Job | Plan
  readonly key: string | undefined
  readonly delayMs: number
  /** Calls that asked for it and have not ended, or ended in doubt: it may be there. */
  inDoubt: number
  /** Some call that asked for it was told that it is there: under its own id, or that of the holder of its key. */
  stands: string | undefined
  /** Answers of cancels: the status each was told. */
  readonly cancelled: string[]
  cancels: number
  replays: number
  /** Endings by hand that were asked for, and those that were confirmed. */
  readonly handled: { readonly ending: string; readonly outcome: Outcome | undefined }[]
}

/** The reference model: what was asked for and answered, from which it follows what may be there in the end. */
export class Model {
  readonly asked = new Map<string, Asked>()
  private readonly order: Asked[] = []

  /** Takes note of a message before it is sent. */
  ask(of: Pick<Asked, 'id' | 'queue' | 'payload' | 'key'>, delayMs = 0): Asked {
    const asked: Asked = {
      ...of,
      delayMs,
      inDoubt: 0,
      stands: undefined,
      cancelled: [],
      cancels: 0,
      replays: 0,
      handled: [],
    }
    this.asked.set(of.id, asked)
    this.order.push(asked)
    return asked
  }

  /** What was asked for, in order. */
  get all(): readonly Asked[] {
    return this.order
  }

  /** The `at`th message that was asked for, counted round and round; undefined when there is none yet. */
  pick(at: number, fits: (asked: Asked) => boolean = () => true): Asked | undefined {
    const some = this.order.filter(fits)
    return some[at % Math.max(1, some.length)]
  }
}

/** Takes the end of a call that asked for a message into the model. */
export function answered(asked: Asked, outcome: Outcome, standsFor: string | undefined): void {
  if (outcome !== 'unknown') asked.inDoubt--
  if (outcome === 'ok' && standsFor !== undefined) asked.stands = standsFor
}
