import { crashPoints } from '../../../conformance/src/crash-points.js'
import { everyStore, type Fault } from './fault.js'

/** SIGKILL, wherever the process happens to be. */
export const kill: Fault = {
  name: 'kill',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 600,
  weight: 2,
  async strike({ holders, pause }, dice) {
    dice.pick(holders).signal('SIGKILL')
    await pause(dice.whole(100, 600))
  },
}

/** SIGKILL at a named point: around claim, body, effect, checkpoint, COMMIT and completion. */
export const killAtPoint: Fault = {
  name: 'kill-at-point',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 700,
  weight: 4,
  async strike({ holders, pause }, dice) {
    const holder = dice.pick(holders)
    holder.order({ do: 'die', at: dice.pick(crashPoints) })
    try {
      await pause(dice.whole(200, 700))
    } finally {
      holder.order({ do: 'nothing' })
    }
  },
}

/** SIGKILL of a producer: what it was calling stays unknown. */
export const killClient: Fault = {
  name: 'kill-client',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 500,
  weight: 0.5,
  async strike({ clients, pause }, dice) {
    dice.pick(clients).signal('SIGKILL')
    await pause(dice.whole(100, 500))
  },
}
