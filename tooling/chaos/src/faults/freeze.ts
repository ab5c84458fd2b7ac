import { crashPoints, type CrashPoint } from '../../../conformance/src/crash-points.js'
import { LEASE_MS } from '../load/policies.js'
import { everyStore, type Fault } from './fault.js'

/** SIGSTOP for longer than a lease, then SIGCONT: what it held is somebody else's when it goes on. */
export const freeze: Fault = {
  name: 'freeze',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 2 * LEASE_MS,
  async strike({ holders, pause }, dice) {
    const holder = dice.pick(holders)
    holder.signal('SIGSTOP')
    try {
      await pause(dice.whole(1.1 * LEASE_MS, 1.6 * LEASE_MS))
    } finally {
      holder.signal('SIGCONT')
    }
  },
}

/** The same, beginning at a named point. */
export const freezeAtPoint: Fault = {
  name: 'freeze-at-point',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 3 * LEASE_MS,
  async strike({ holders, pause }, dice) {
    const holder = dice.pick(holders)
    holder.order({ do: 'freeze', at: dice.pick(crashPoints) })
    try {
      await pause(dice.whole(2 * LEASE_MS, 3 * LEASE_MS))
    } finally {
      holder.signal('SIGCONT')
      // Who has not come by the point must not stop there when nobody is left to wake it up.
      holder.order({ do: 'nothing' })
    }
  },
}

/** Frozen with a write in its hand: when it goes on, it sends the write first, and learns of the lost lease by it. */
function freezeAt(name: string, at: CrashPoint): Fault {
  return {
    name,
    stores: everyStore,
    strikes: 'processes',
    lastsMs: 2 * LEASE_MS,
    async strike({ workers, pause }, dice) {
      const worker = dice.pick(workers)
      worker.order({ do: 'freeze', at })
      try {
        // As long that somebody else has begun, and not so long that it has ended.
        await pause(dice.whole(1.3 * LEASE_MS, 1.7 * LEASE_MS))
      } finally {
        worker.signal('SIGCONT')
        worker.order({ do: 'nothing' })
      }
    },
  }
}

export const freezeAtCheckpoint = freezeAt('freeze-at-checkpoint', 'after-body-before-checkpoint')
export const freezeAtCompletion = freezeAt('freeze-at-completion', 'after-last-step-before-completion')

/** The event loop does not turn for longer than a lease. */
export const block: Fault = {
  name: 'block',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 2 * LEASE_MS,
  async strike({ holders, pause }, dice) {
    const ms = dice.whole(1.1 * LEASE_MS, 1.8 * LEASE_MS)
    dice.pick(holders).order({ do: 'block', ms })
    await pause(ms)
  },
}
