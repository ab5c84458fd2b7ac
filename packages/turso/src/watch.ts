import type { Cancel, Clock, WakeChannel } from '@pgqrs/core/driver'

// A look costs some 40 microseconds and reads no table.
const LOOK_EVERY_MS = 25

/**
 * Hints about writes of other connections: `version` gives another number after each. What changed is not known, so
 * the hint is always "anything". Nothing is looked at while nobody listens.
 * @param version undefined when it cannot be told at the moment.
 */
export function watch(version: () => Promise<unknown>, clock: Clock): WakeChannel {
  return {
    async listen(heard, proved) {
      let stopped = false
      let looking: Promise<void> = Promise.resolve()
      let cancel: Cancel = () => undefined
      let last = await version()
      let works = true
      const tell = (now: boolean): void => {
        if (now !== works) proved(now)
        works = now
      }
      const look = async (): Promise<void> => {
        try {
          const now = await version()
          if (stopped || now === undefined) return
          tell(true)
          if (now !== last) heard(['*'])
          last = now
        } catch {
          // Whoever waits polls more often until a look succeeds again.
          if (!stopped) tell(false)
        }
      }
      const schedule = (): void => {
        cancel = clock.after(
          LOOK_EVERY_MS,
          () => {
            looking = look().finally(() => {
              if (!stopped) schedule()
            })
          },
          { background: true },
        )
      }
      proved(true)
      schedule()
      return async () => {
        stopped = true
        cancel()
        await looking
      }
    },
    notify: () => Promise.resolve(),
  }
}
