import type { Fault } from './fault.js'

/**
 * The primary crashes and a standby that has followed it synchronously is promoted in its place: what was acknowledged
 * is there, on another timeline. What an asynchronous one loses was never promised (design: the surviving history).
 */
export const failover: Fault = {
  name: 'failover',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 9000,
  weight: 0.5,
  async strike({ database: { postgres }, pause }, dice) {
    if (postgres?.replicate === undefined) throw new Error('only a server of our own can have a standby')
    const failOver = await postgres.replicate()
    try {
      await pause(dice.whole(1000, 3000))
    } finally {
      await failOver()
    }
    await pause(500)
  },
}
