import { systemClock, type Clock } from '@pgqrs/core/driver'
import { everyStore } from '../faults/fault.js'
import { rewriting, type Sabotage } from './sabotage.js'

const OFF_MS = 5000

/** Each worker reckons leases by its own clock, and one of the clocks is fast. */
export const clientClock: Sabotage = {
  breaks: "leases and delays go by the worker's clock, and one of the clocks is five seconds fast",
  violates: ['Q7', 'Q12'],
  stores: everyStore,
  load: { work: 2, slow: 1 },
  perSecond: 10,
  faults: [],
  workers: 2,
  seconds: 6,
  clock: (role) => clockOffBy(role === 'worker-2' ? OFF_MS : 0),
}

function clockOffBy(offMs: number): Clock {
  return {
    databaseNow: () => systemClock.wallNow() + offMs,
    wallNow: () => systemClock.wallNow() + offMs,
    monotonic: () => systemClock.monotonic(),
    after: (ms, callback, options) => systemClock.after(ms, callback, options),
    settle: () => systemClock.settle(),
  }
}

/** Timers run out after half their time. */
export const earlyTimer: Sabotage = {
  breaks: 'delays and sleeps last half as long as asked',
  violates: ['W8'],
  stores: everyStore,
  load: { nap: 1 },
  faults: [],
  workers: 1,
  seconds: 4,
  wrapDriver: rewriting(['record'], (sql) =>
    sql.replaceAll(/"r"\."wake_in_ms"/g, '(0.5 * "r"."wake_in_ms")'),
  ),
}
