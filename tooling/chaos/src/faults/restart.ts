import type { Fault } from './fault.js'

function restart(mode: 'fast' | 'immediate'): Fault {
  return {
    name: `restart-${mode}`,
    stores: ['postgres'],
    strikes: 'database',
    lastsMs: 4000,
    async strike({ database: { postgres }, pause }, dice) {
      if (postgres?.restart === undefined) throw new Error('only a server of our own can be restarted')
      await postgres.restart(mode)
      await pause(dice.whole(500, 2000))
    },
  }
}

/** The server ends its sessions, writes everything down, and comes back. */
export const restartFast = restart('fast')
/** The server stops as if it had crashed, and recovers. */
export const restartImmediate = restart('immediate')
