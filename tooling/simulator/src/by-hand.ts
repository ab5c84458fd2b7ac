import type { LeasedMessage, Store } from '@pgqrs/core'
import type { Database } from '@pgqrs/sqlite'
import type { Asked, Model } from './asked.js'
import type { Life } from './life.js'
import type { Requests } from './requests.js'
import type { Action } from './schedule.js'
import { parcels, type Job } from './workload.js'

type Order = Extract<Action, { do: 'by-hand' }>

const EXTENDED_MS = 3000

const nothing = (): Record<string, never> => ({})

/** Claims messages as an application does that has no worker, and ends its holds in one of the ways there are. */
export class ByHand {
  constructor(
    private readonly model: Model,
    private readonly requests: Requests,
  ) {}

  /** Claims parcels by hand and ends the hold in one of the ways there are. */
  claim(life: Life, store: Store<Database>, { ending, holdMs }: Order): void {
    const consumer = store.consumer(parcels)
    this.requests.make(
      life,
      { name: 'dequeue', queue: 'parcels', limit: 2 },
      () => consumer.dequeue({ limit: 2 }),
      (messages) => ({
        claimed: messages.map(({ id, payload }) => ({
          id,
          lease: life.leases.get(id) ?? '',
          payload: JSON.stringify(payload),
        })),
      }),
      (_, messages = []) => {
        for (const message of messages) {
          const lease = life.leases.get(message.id) ?? ''
          void life.sleep(holdMs).then(() => {
            this.end(life, ending, message, lease)
          })
        }
        void life.sleep(holdMs + 1).then(() => consumer.close())
      },
    )
  }

  private end(life: Life, ending: Order['ending'], message: LeasedMessage<Job>, lease: string): void {
    if (ending === 'forget') return
    const calls = {
      archive: () => message.archive('by hand'),
      delete: () => message.delete(),
      release: () => message.release({ delay: 200 }),
      fail: () => message.fail(new Error('failed by hand')),
      extend: () => message.extend(EXTENDED_MS),
    }
    const asked = this.model.asked.get(message.id)
    const handled = { ending, outcome: undefined as Asked['handled'][number]['outcome'] }
    asked?.handled.push(handled)
    const name = ending === 'fail' ? 'failMessage' : ending
    const span = ending === 'extend' ? { leaseMs: EXTENDED_MS } : {}
    this.requests.make(life, { name, id: message.id, lease, ...span }, calls[ending], nothing, (outcome) => {
      handled.outcome = outcome
    })
  }
}
