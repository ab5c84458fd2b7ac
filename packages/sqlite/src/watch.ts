import type { Cancel, Clock, WakeChannel } from '@pgqrs/core/driver'
import type { Database } from 'better-sqlite3'

// A look costs about two microseconds and reads no table.
const LOOK_EVERY_MS = 20

/**
 * Hints about writes of other processes: `PRAGMA data_version` changes when another connection commits. What changed
 * is not known, so the hint is always "anything".
 */
export function watch(db: Database, clock: Clock): WakeChannel {
  return {
    listen: (heard, proved) => {
      const pragma = db.prepare<[], { data_version: number }>('pragma data_version')
      let version = pragma.get()?.data_version
      let cancel: Cancel = () => undefined
      const look = (): void => {
        cancel = clock.after(
          LOOK_EVERY_MS,
          () => {
            if (!db.open) return
            const now = pragma.get()?.data_version
            if (now !== version) {
              version = now
              heard(['*'])
            }
            look()
          },
          { background: true },
        )
      }
      look()
      proved(true)
      return Promise.resolve(() => {
        cancel()
        return Promise.resolve()
      })
    },
    notify: () => Promise.resolve(),
  }
}
