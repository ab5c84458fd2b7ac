import type { PostgresServer, Standby } from '@pgqrs/test-database'
import { mono } from '../processes/setup.js'
import type { Fault } from './fault.js'

/** A standby of a server of the run's own. */
async function standbyOf(
  postgres: PostgresServer | undefined,
  how: 'synchronously' | 'asynchronously',
): Promise<Standby> {
  if (postgres?.replicate === undefined) throw new Error('only a server of our own can have a standby')
  return postgres.replicate(how)
}

/**
 * The primary crashes and a standby that has followed it synchronously is promoted in its place: what was acknowledged
 * is there, on another timeline.
 */
export const failover: Fault = {
  name: 'failover',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 9000,
  weight: 0.5,
  async strike({ database: { postgres }, pause }, dice) {
    const standby = await standbyOf(postgres, 'synchronously')
    try {
      await pause(dice.whole(1000, 3000))
    } finally {
      await standby.failOver()
    }
    await pause(500)
  },
}

/**
 * A standby that follows asynchronously falls behind, and is promoted without what it has missed. That may be lost;
 * what was acknowledged before, or comes afterwards, may not.
 */
export const laggingFailover: Fault = {
  name: 'failover-lagging',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 9000,
  weight: 0.5,
  async strike({ database: { postgres }, pause, rewound }, dice) {
    const standby = await standbyOf(postgres, 'asynchronously')
    await pause(dice.whole(500, 2000)).finally(async () => {
      const from = mono()
      await standby.cutOff()
      try {
        await pause(dice.whole(100, 1500))
      } finally {
        await standby.failOver()
        rewound(from, mono())
      }
    })
    await pause(500)
  },
}
