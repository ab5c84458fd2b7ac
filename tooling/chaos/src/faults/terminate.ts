import { everyStore, type Fault } from './fault.js'

/** SIGTERM: what runs may finish, the rest is given back. Sometimes a second one follows at once. */
export const terminate: Fault = {
  name: 'terminate',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 1000,
  async strike({ holders, pause }, dice) {
    const holder = dice.pick(holders)
    const impatient = dice.chance(0.4)
    holder.signal('SIGTERM')
    await pause(dice.whole(50, 400))
    if (impatient) holder.signal('SIGTERM')
    await pause(dice.whole(100, 600))
  },
}
