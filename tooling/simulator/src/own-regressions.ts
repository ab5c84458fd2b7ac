import { after, enqueue, fault, profile, trigger, type Regression } from './regression.js'

/** Schedules in which the simulator itself was wrong: it must say nothing of them. */
export const ownRegressions: readonly Regression[] = [
  {
    bug: 'a lost sending of an enqueue arrived after its repetition had yielded to the holder of its key (seed 1, path 1129)',
    schedule: {
      profile: profile({ leaseMs: 1500, looks: 'useful' }),
      commands: [
        after(0, 0, enqueue({ do: 'return' })),
        after(0, 0, trigger([{ do: 'parallel', items: 1 }], { key: 0 })),
        after(0, 3, trigger([{ do: 'step', ms: 0, fails: 0 }])),
        after(3, 0, enqueue({ do: 'flaky', times: 1 }, { delayMs: 437, key: 2 })),
        after(
          107,
          2,
          trigger([
            { do: 'pause', timeoutMs: 46 },
            { do: 'transaction' },
            { do: 'transaction' },
            { do: 'transaction' },
          ]),
        ),
        after(74, 3, { do: 'repeat', target: 9 }),
        after(70, 2, { do: 'repeat', target: 0 }),
        after(107, 0, { do: 'cancel', target: 1 }),
        after(185, 2, { do: 'replay', target: 9 }),
        after(74, 3, enqueue({ do: 'spawn' }, { delayMs: 176, key: 2 })),
      ],
      faults: [
        fault('write', 24, 'lose-call', 3477),
        fault('write', 10, 'busy', 1915),
        fault('write', 14, 'freeze-executed', 9),
        fault('call', 3, 'lose-call', 4999),
        fault('write', 21, 'late', 3420),
      ],
    },
  },
  {
    bug: 'a process that died while its store closed was waited for (seed 1, path 9468)',
    schedule: {
      profile: profile({ seed: 799328374, workers: 2, latency: 2, leaseMs: 1500, looks: 'useful' }),
      commands: [
        after(166, 0, { do: 'crash' }),
        after(35, 0, { do: 'by-hand', ending: 'archive', holdMs: 0 }),
        after(0, 0, { do: 'stop' }),
      ],
      faults: [
        fault('call', 6, 'crash-executed', 0),
        fault('write', 1, 'stall-call', 2108),
        fault('call', 17, 'lose-answer', 2266),
        fault('write', 9, 'crash-before', 3851),
      ],
    },
  },
  {
    bug: 'the pause before a worker was started once more was taken for a timer of its closed store (seed 1, path 22701)',
    schedule: {
      profile: profile({
        seed: 1244177092,
        latency: 2,
        leaseMs: 1500,
        patienceMs: 500,
        looks: 'useful',
      }),
      commands: [
        after(96, 0, trigger([{ do: 'step', ms: 0, fails: 0 }])),
        after(115, 0, { do: 'cancel', target: 0 }),
      ],
      faults: [fault('call', 2, 'lose-answer', 0)],
    },
  },
  {
    bug: 'an extension by hand was taken to be as long as a claim, and so to have been sent after its lease had lapsed (seed 2, path 43995)',
    schedule: {
      profile: profile({ latency: 2, leaseMs: 1500, clock: 'host', looks: 'useful' }),
      commands: [
        after(69, 0, { do: 'enqueue-in-transaction', commit: true }),
        after(0, 3, { do: 'by-hand', ending: 'extend', holdMs: 1351 }),
        after(0, 0, { do: 'crash' }),
        after(
          213,
          0,
          trigger([
            { do: 'map', items: 1 },
            { do: 'step', ms: 82, fails: 1 },
          ]),
        ),
        after(62, 3, trigger([{ do: 'transaction' }], { key: 0 })),
        after(51, 0, enqueue({ do: 'return' })),
      ],
      faults: [fault('write', 5, 'freeze-executed', 263)],
    },
  },
]
