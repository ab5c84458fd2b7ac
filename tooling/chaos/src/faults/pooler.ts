import { hasPgBouncer, startPgBouncer } from '@pgqrs/test-database'
import type { Fault } from './fault.js'

/** A process works through PgBouncer in transaction mode for a while. */
export const pooler: Fault = {
  name: 'pgbouncer',
  stores: ['postgres'],
  strikes: 'processes',
  lastsMs: 12_000,
  weight: 0.5,
  missing: () => (hasPgBouncer() ? undefined : 'no pgbouncer is installed, on the PATH or in /usr/sbin'),
  async strike({ database, holders, pause }, dice) {
    const bouncer = await startPgBouncer(database.straightDsn)
    if (bouncer === undefined) throw new Error('pgbouncer has vanished')
    const holder = dice.pick(holders)
    try {
      await holder.replace({ dsn: bouncer.dsn, prepare: false })
      await pause(dice.whole(3000, 6000))
      holder.signal(dice.pick(['SIGKILL', 'SIGTERM']))
      await pause(dice.whole(1000, 2000))
    } finally {
      await holder.replace()
      await bouncer.stop()
    }
  },
}
