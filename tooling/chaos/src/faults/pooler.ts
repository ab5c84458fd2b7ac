import { startPgBouncer } from '@pgqrs/test-database'
import type { Fault } from './fault.js'

/** A worker works through PgBouncer in transaction mode for a while. */
export const pooler: Fault = {
  name: 'pgbouncer',
  stores: ['postgres'],
  strikes: 'processes',
  lastsMs: 12_000,
  weight: 0.5,
  async strike({ database, workers, pause }, dice) {
    const bouncer = await startPgBouncer(database.straightDsn)
    if (bouncer === undefined) return
    const worker = dice.pick(workers)
    try {
      await worker.replace({ dsn: bouncer.dsn, prepare: false })
      await pause(dice.whole(3000, 6000))
      worker.signal(dice.pick(['SIGKILL', 'SIGTERM']))
      await pause(dice.whole(1000, 2000))
    } finally {
      await worker.replace()
      await bouncer.stop()
    }
  },
}
