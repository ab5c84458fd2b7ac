import type { Call } from '../load/calls.js'
import { accounts, lists, type Transfer } from '../load/payloads.js'
import type { Fault } from './fault.js'

const AT_ONCE = 50

/** A worker with two connections gets fifty runs at once, each with a transactional step that takes its time. */
export const smallPool: Fault = {
  name: 'small-pool',
  stores: ['postgres'],
  strikes: 'processes',
  lastsMs: 8000,
  weight: 0.5,
  async strike({ workers, call, pause }, dice) {
    const worker = dice.pick(workers)
    await worker.replace({ maxConnections: 2, concurrency: AT_ONCE })
    try {
      const calls = Array.from({ length: AT_ONCE }, (_, i): Call => {
        const [from = 'ada', to = 'ben'] = dice.shuffled(accounts)
        const input: Transfer = {
          n: 1_000_000 + dice.whole(0, 2 ** 30) + i,
          from,
          to,
          amount: dice.whole(1, 9),
          list: dice.pick(lists),
          disorderly: false,
          asynchronous: true,
          ms: dice.whole(0, 20),
          receiptMs: 0,
        }
        const id = dice.id(Date.UTC(2026, 6, 1))
        return {
          what: 'enqueue',
          kind: 'workflow',
          messages: [{ id, queue: 'chaos_transfer', payload: JSON.stringify(input) }],
        }
      })
      await call(calls)
      await pause(4000)
    } finally {
      await worker.replace()
    }
  },
}
