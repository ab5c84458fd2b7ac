import { crashPoints } from '../../../conformance/src/crash-points.js'
import { LEASE_MS } from '../load/policies.js'
import { everyStore, type Fault } from './fault.js'

/** SIGSTOP for longer than a lease, then SIGCONT: what the worker held is somebody else's when it goes on. */
export const freeze: Fault = {
  name: 'freeze',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 2 * LEASE_MS,
  async strike({ workers, pause }, dice) {
    const worker = dice.pick(workers)
    worker.signal('SIGSTOP')
    try {
      await pause(dice.whole(1.1 * LEASE_MS, 1.6 * LEASE_MS))
    } finally {
      worker.signal('SIGCONT')
    }
  },
}

/** The same, beginning at a named point. */
export const freezeAtPoint: Fault = {
  name: 'freeze-at-point',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 3 * LEASE_MS,
  async strike({ workers, pause }, dice) {
    const worker = dice.pick(workers)
    worker.order({ do: 'freeze', at: dice.pick(crashPoints) })
    try {
      await pause(dice.whole(2 * LEASE_MS, 3 * LEASE_MS))
    } finally {
      worker.signal('SIGCONT')
    }
  },
}

/** The event loop does not turn for longer than a lease. */
export const block: Fault = {
  name: 'block',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 2 * LEASE_MS,
  async strike({ workers, pause }, dice) {
    const ms = dice.whole(1.1 * LEASE_MS, 1.8 * LEASE_MS)
    dice.pick(workers).order({ do: 'block', ms })
    await pause(ms)
  },
}
