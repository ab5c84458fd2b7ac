import type { Sabotage } from './sabotage.js'

/** A commit is acknowledged before it is written down, and the server stops as if it had crashed. */
export const durabilityOff: Sabotage = {
  breaks: 'the server acknowledges commits that it has not written down',
  violates: ['Q1'],
  stores: ['postgres'],
  load: { work: 1 },
  faults: ['restart-immediate'],
  workers: 1,
  seconds: 7,
  settings: { synchronous_commit: 'off', wal_writer_delay: '10000ms', wal_writer_flush_after: '1GB' },
}
