import { everyStore, type Fault } from './fault.js'

const DAY_MS = 86_400_000

/** A process whose wall clock is wrong by a day takes another one's place. */
export const wrongClock: Fault = {
  name: 'wrong-clock',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 6000,
  weight: 0.5,
  async strike({ holders, pause }, dice) {
    const holder = dice.pick(holders)
    await holder.replace({ clockOffMs: dice.pick([-DAY_MS, DAY_MS]) })
    try {
      await pause(dice.whole(1500, 4000))
    } finally {
      await holder.replace()
    }
  },
}
