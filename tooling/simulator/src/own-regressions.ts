import { calm, type Regression } from './regressions.js'

/** Schedules in which the simulator itself was wrong: it must say nothing of them. */
export const ownRegressions: readonly Regression[] = [
  {
    bug: 'a lost sending of an enqueue arrived after its repetition had yielded to the holder of its key (seed 1, path 1129)',
    schedule: {
      profile: { ...calm, leaseMs: 1500, looks: 'useful' },
      commands: [
        { waitMs: 0, process: 0, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 0, key: null } },
        {
          waitMs: 0,
          process: 0,
          action: { do: 'trigger', parts: [{ do: 'parallel', items: 1 }], throws: false, key: 0 },
        },
        {
          waitMs: 0,
          process: 3,
          action: { do: 'trigger', parts: [{ do: 'step', ms: 0, fails: 0 }], throws: false, key: null },
        },
        {
          waitMs: 3,
          process: 0,
          action: { do: 'enqueue', act: { do: 'flaky', times: 1 }, delayMs: 437, key: 2 },
        },
        {
          waitMs: 107,
          process: 2,
          action: {
            do: 'trigger',
            parts: [
              { do: 'pause', timeoutMs: 46 },
              { do: 'transaction' },
              { do: 'transaction' },
              { do: 'transaction' },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 74, process: 3, action: { do: 'repeat', target: 9 } },
        { waitMs: 70, process: 2, action: { do: 'repeat', target: 0 } },
        { waitMs: 107, process: 0, action: { do: 'cancel', target: 1 } },
        { waitMs: 185, process: 2, action: { do: 'replay', target: 9 } },
        {
          waitMs: 74,
          process: 3,
          action: { do: 'enqueue', act: { do: 'spawn' }, delayMs: 176, key: 2 },
        },
      ],
      faults: [
        { on: 'write', at: 24, kind: 'lose-call', ms: 3477 },
        { on: 'write', at: 10, kind: 'busy', ms: 1915 },
        { on: 'write', at: 14, kind: 'freeze-executed', ms: 9 },
        { on: 'call', at: 3, kind: 'lose-call', ms: 4999 },
        { on: 'write', at: 21, kind: 'late', ms: 3420 },
      ],
    },
  },
  {
    bug: 'a process that died while its store closed was waited for (seed 1, path 9468)',
    schedule: {
      profile: {
        ...calm,
        seed: 799328374,
        workers: 2,
        latency: 2,
        leaseMs: 1500,
        looks: 'useful',
      },
      commands: [
        { waitMs: 166, process: 0, action: { do: 'crash' } },
        { waitMs: 35, process: 0, action: { do: 'by-hand', ending: 'archive', holdMs: 0 } },
        { waitMs: 0, process: 0, action: { do: 'stop' } },
      ],
      faults: [
        { on: 'call', at: 6, kind: 'crash-executed', ms: 0 },
        { on: 'write', at: 1, kind: 'stall-call', ms: 2108 },
        { on: 'call', at: 17, kind: 'lose-answer', ms: 2266 },
        { on: 'write', at: 9, kind: 'crash-before', ms: 3851 },
      ],
    },
  },
]
