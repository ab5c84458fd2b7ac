import type { Fault } from './fault.js'

const KILL = `select pg_terminate_backend(pid) from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 1`

/** Some backend is terminated every 50 ms. */
export const backendKills: Fault = {
  name: 'backend-kills',
  stores: ['postgres'],
  strikes: 'database',
  lastsMs: 4000,
  weight: 1.5,
  async strike({ database, pause }, dice) {
    const until = performance.now() + dice.whole(1500, 4000)
    while (performance.now() < until) {
      await database.query(KILL)
      await pause(50)
    }
  },
}
