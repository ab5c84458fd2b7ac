import { everyStore, type Fault } from './fault.js'

/** SIGKILL for every process at once, some of them in the middle of COMMIT: nobody is left to tidy the -wal up. */
export const killAll: Fault = {
  name: 'kill-all',
  stores: everyStore,
  strikes: 'processes',
  lastsMs: 1500,
  weight: 0.5,
  async strike({ database, holders, clients, pause }, dice) {
    for (const holder of holders) holder.order({ do: 'die', at: 'during-commit' })
    await pause(dice.whole(200, 800))
    // The next process to come finds the file as the dead have left it.
    await database.letGo?.()
    for (const place of [...holders, ...clients]) place.signal('SIGKILL')
    await pause(500)
  },
}
