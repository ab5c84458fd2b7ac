import type { Consumer, LeasedMessage } from '@pgqrs/core'
import type { HistoryWriter, Operation } from '@pgqrs/checker'
import type { ByHand } from '../load/payloads.js'
import { LEASE_MS } from '../load/policies.js'
import { takingTime } from '../load/taking-time.js'
import { Noted } from './noted.js'
import type { Orders } from './orders.js'
import type { Grant, Witness } from './witnessed-driver.js'

type HolderCall = Extract<Operation, { lease: string }>
type Ending = HolderCall['name']

/** A hold on a message, and the grant it is under. */
interface Held {
  readonly message: LeasedMessage<ByHand>
  readonly grant: Grant
}

/** Claims messages by hand, and does with each what its payload says: at first; whoever holds it later archives it. */
export class Hands {
  private readonly noted: Noted

  constructor(
    private readonly consumer: Consumer<ByHand>,
    private readonly queue: string,
    private readonly witness: Witness,
    private readonly orders: Orders,
    history: HistoryWriter,
  ) {
    this.noted = new Noted(history.process, history)
  }

  /** Takes so many messages at most and ends its holds on them. Returns how many there were. */
  async take(limit: number): Promise<number> {
    const held: Held[] = []
    await this.noted.call({ name: 'dequeue', queue: this.queue, limit }, async () => {
      for (const message of await this.consumer.dequeue({ limit, lease: LEASE_MS })) {
        held.push({ message, grant: this.witness.grant(message.id) })
      }
      const claimed = held.map(({ message: { id, payload }, grant }) => ({
        id,
        lease: grant.lease,
        payload: JSON.stringify(payload),
      }))
      return { claimed }
    })
    await Promise.all(held.map((one) => this.treat(one)))
    return held.length
  }

  private async treat(held: Held): Promise<void> {
    const { message, grant } = held
    this.orders.reached('in-step-body')
    const { does, ms, prolongs, delayMs } = message.payload
    await takingTime(ms)
    if (prolongs) await this.prolong(held)
    switch (grant.claims === 1 ? does : 'archive') {
      case 'forget':
        return
      case 'late':
        // Prolongs what somebody else may hold by now, and does not care.
        await takingTime(1.2 * LEASE_MS)
        await this.prolong(held)
        await this.ending('archive', held, () => message.archive(`late ${message.payload.n}`))
        return
      case 'release':
        await this.ending('release', held, () => message.release({ delay: delayMs }), { delayMs })
        return
      case 'fail':
        await this.ending('failMessage', held, () => message.fail(new Error('failed by hand')))
        return
      case 'delete':
        await this.ending('delete', held, () => message.delete())
        return
      case 'archive':
        await this.ending('archive', held, () => message.archive(message.payload.n))
    }
  }

  private prolong(held: Held): Promise<void> {
    return this.ending('extend', held, () => held.message.extend(LEASE_MS))
  }

  private async ending(
    name: Ending,
    { message: { id }, grant: { lease } }: Held,
    work: () => Promise<void>,
    more: Pick<HolderCall, 'delayMs'> = {},
  ): Promise<void> {
    await this.noted.call({ name, id, lease, ...more }, async () => {
      await work()
      return {}
    })
  }
}
