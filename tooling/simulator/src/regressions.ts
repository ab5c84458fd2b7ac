import type { Schedule } from './schedule.js'

/** A schedule that once found a bug, as it was shrunk, and what the bug was. */
export interface Regression {
  readonly bug: string
  readonly schedule: Schedule
}

const calm: Schedule['profile'] = {
  seed: 0,
  workers: 1,
  concurrency: 1,
  oneWriter: false,
  hints: false,
  latency: 0,
  leaseMs: 2000,
  patienceMs: 10_000,
  clock: 'database',
}

/** Every schedule that has found a bug. Each must pass for ever. */
export const regressions: readonly Regression[] = [
  {
    bug: 'a worker that was stopped while it started went on looking at deadlines for ever (seed 1, path 53)',
    schedule: { profile: calm, commands: [{ waitMs: 0, process: 1, action: { do: 'stop' } }], faults: [] },
  },
  {
    bug: 'a run that was put down in a pause kept a timer, and itself in memory, until the next poll (seed 1, path 108)',
    schedule: {
      profile: calm,
      commands: [
        {
          waitMs: 0,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'step', ms: 744, fails: 1 },
              { do: 'map', items: 3 },
              { do: 'pause', timeoutMs: null },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 0, process: 0, action: { do: 'enqueue', act: { do: 'fail' }, delayMs: 0, key: null } },
      ],
      faults: [{ on: 'call', at: 10, kind: 'crash-before', ms: 0 }],
    },
  },
  {
    bug: 'the timer that gathers hints outlived its closed store (seed 1, path 577)',
    schedule: {
      profile: { ...calm, hints: true, concurrency: 2, leaseMs: 1500 },
      commands: [
        {
          waitMs: 0,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'step', ms: 246, fails: 3 },
              { do: 'step', ms: 0, fails: 0 },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 0, process: 0, action: { do: 'cancel', target: 0 } },
      ],
      faults: [],
    },
  },
]
