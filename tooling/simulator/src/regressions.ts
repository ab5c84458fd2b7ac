import type { Schedule } from './schedule.js'

/** A schedule that once found a bug, as it was shrunk, and what the bug was. */
export interface Regression {
  readonly bug: string
  readonly schedule: Schedule
}

/** A profile with nothing special about it. */
export const calm: Schedule['profile'] = {
  seed: 0,
  workers: 1,
  concurrency: 1,
  oneWriter: false,
  hints: false,
  latency: 0,
  leaseMs: 2000,
  patienceMs: 10_000,
  clock: 'database',
  looks: 'all',
}

/** Every schedule that has found a bug of the engine. Each must pass for ever. */
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
      profile: { ...calm, hints: true, leaseMs: 1500 },
      commands: [
        {
          waitMs: 0,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'step', ms: 502, fails: 0 },
              { do: 'map', items: 1 },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 145, process: 0, action: { do: 'replay', target: 0 } },
        { waitMs: 249, process: 0, action: { do: 'jump' } },
        { waitMs: 240, process: 0, action: { do: 'resume', target: 0 } },
        { waitMs: 5, process: 0, action: { do: 'resume', target: 0 } },
        {
          waitMs: 4,
          process: 0,
          action: { do: 'enqueue', act: { do: 'flaky', times: 1 }, delayMs: 0, key: 0 },
        },
      ],
      faults: [{ on: 'write', at: 4, kind: 'cut', ms: 2 }],
    },
  },
  {
    bug: 'a transaction went on trying after its run had been cancelled and its store closed (seed 11, path 924)',
    schedule: {
      profile: { ...calm, workers: 2, concurrency: 5, latency: 2, leaseMs: 3000 },
      commands: [
        { waitMs: 166, process: 0, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 0, key: null } },
        { waitMs: 97, process: 0, action: { do: 'replay', target: 0 } },
        { waitMs: 73, process: 0, action: { do: 'cancel', target: 0 } },
        {
          waitMs: 44,
          process: 1,
          action: { do: 'trigger', parts: [{ do: 'map', items: 2 }], throws: false, key: null },
        },
        { waitMs: 36, process: 0, action: { do: 'stop' } },
        { waitMs: 0, process: 0, action: { do: 'cancel', target: 3 } },
        { waitMs: 2, process: 0, action: { do: 'freeze', ms: 230 } },
        { waitMs: 176, process: 0, action: { do: 'enqueue-many', count: 2, reject: false } },
        { waitMs: 38, process: 0, action: { do: 'stop' } },
        { waitMs: 154, process: 1, action: { do: 'cancel', target: 0 } },
        { waitMs: 137, process: 0, action: { do: 'cancel', target: 0 } },
      ],
      faults: [
        { on: 'write', at: 2, kind: 'freeze-sent', ms: 920 },
        { on: 'call', at: 25, kind: 'cut', ms: 721 },
      ],
    },
  },
  {
    bug: 'a sleep that was over before it was known that the run had been put down let the code go on without a lease (seed 1, path 3667)',
    schedule: {
      profile: { ...calm, workers: 3, leaseMs: 1500 },
      commands: [
        {
          waitMs: 0,
          process: 0,
          action: { do: 'enqueue', act: { do: 'slow', ms: 0 }, delayMs: 278, key: null },
        },
        {
          waitMs: 145,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'step', ms: 0, fails: 1 },
              { do: 'pause', timeoutMs: null },
            ],
            throws: false,
            key: 0,
          },
        },
        {
          waitMs: 0,
          process: 2,
          action: { do: 'trigger', parts: [{ do: 'sleep', ms: 1087 }], throws: false, key: null },
        },
        { waitMs: 246, process: 1, action: { do: 'enqueue-many', count: 3, reject: false } },
        {
          waitMs: 150,
          process: 0,
          action: { do: 'enqueue', act: { do: 'slow', ms: 1843 }, delayMs: 952, key: null },
        },
        {
          waitMs: 131,
          process: 1,
          action: { do: 'enqueue', act: { do: 'terminal' }, delayMs: 600, key: null },
        },
        {
          waitMs: 163,
          process: 3,
          action: { do: 'enqueue', act: { do: 'flaky', times: 1 }, delayMs: 36, key: 0 },
        },
        {
          waitMs: 9,
          process: 2,
          action: {
            do: 'trigger',
            parts: [
              { do: 'step', ms: 546, fails: 1 },
              { do: 'step', ms: 184, fails: 3 },
              { do: 'transaction' },
              { do: 'pause', timeoutMs: 1441 },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 186, process: 3, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 795, key: 2 } },
        {
          waitMs: 238,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'sleep', ms: 1580 },
              { do: 'pause', timeoutMs: 78 },
              { do: 'step', ms: 483, fails: 1 },
              { do: 'transaction' },
            ],
            throws: false,
            key: null,
          },
        },
      ],
      faults: [
        { on: 'write', at: 30, kind: 'lose-call', ms: 336 },
        { on: 'call', at: 11, kind: 'freeze-executed', ms: 1204 },
        { on: 'call', at: 72, kind: 'lose-call', ms: 2090 },
        { on: 'write', at: 4, kind: 'cut', ms: 2576 },
        { on: 'call', at: 12, kind: 'lose-answer', ms: 68 },
        { on: 'call', at: 14, kind: 'stall-call', ms: 3654 },
        { on: 'write', at: 10, kind: 'freeze-executed', ms: 3845 },
        { on: 'write', at: 28, kind: 'cut', ms: 1243 },
      ],
    },
  },
  {
    bug: 'an enqueue was said to have failed although it was there: its answer was lost, and so was the look whether it is (seed 2, path 19391)',
    schedule: {
      profile: {
        seed: 513056393,
        workers: 3,
        concurrency: 1,
        oneWriter: false,
        hints: true,
        latency: 0,
        leaseMs: 1500,
        patienceMs: 500,
        clock: 'database',
        looks: 'useful',
      },
      commands: [
        {
          waitMs: 207,
          process: 1,
          action: { do: 'enqueue', act: { do: 'slow', ms: 35 }, delayMs: 128, key: null },
        },
        { waitMs: 130, process: 3, action: { do: 'by-hand', ending: 'archive', holdMs: 0 } },
        { waitMs: 12, process: 1, action: { do: 'enqueue', act: { do: 'fail' }, delayMs: 297, key: null } },
        {
          waitMs: 172,
          process: 0,
          action: {
            do: 'trigger',
            parts: [{ do: 'transaction' }, { do: 'step', ms: 664, fails: 0 }],
            throws: false,
            key: null,
          },
        },
        {
          waitMs: 163,
          process: 3,
          action: { do: 'enqueue', act: { do: 'flaky', times: 2 }, delayMs: 543, key: null },
        },
        {
          waitMs: 62,
          process: 0,
          action: { do: 'trigger', parts: [{ do: 'transaction' }], throws: false, key: null },
        },
      ],
      faults: [
        { on: 'call', at: 5, kind: 'cut', ms: 2869 },
        { on: 'write', at: 1, kind: 'lose-answer', ms: 4667 },
        { on: 'call', at: 61, kind: 'refuse', ms: 1074 },
        { on: 'call', at: 40, kind: 'cut', ms: 3431 },
        { on: 'write', at: 1, kind: 'freeze-sent', ms: 4363 },
        { on: 'call', at: 40, kind: 'lose-call', ms: 2426 },
        { on: 'call', at: 31, kind: 'busy', ms: 2847 },
        { on: 'call', at: 6, kind: 'crash-executed', ms: 2028 },
      ],
    },
  },
  {
    bug: 'a run began although its lease was known to be lost: its history had taken too long to read (seed 1, path 15464)',
    schedule: {
      profile: { ...calm, seed: 1900858772, concurrency: 5, hints: true, leaseMs: 1500, looks: 'useful' },
      commands: [
        {
          waitMs: 140,
          process: 1,
          action: {
            do: 'trigger',
            parts: [
              { do: 'pause', timeoutMs: 0 },
              { do: 'pause', timeoutMs: null },
            ],
            throws: false,
            key: 0,
          },
        },
        { waitMs: 3, process: 0, action: { do: 'jump' } },
        { waitMs: 132, process: 3, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 220, key: 0 } },
        { waitMs: 225, process: 0, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 0, key: null } },
        { waitMs: 0, process: 0, action: { do: 'enqueue', act: { do: 'return' }, delayMs: 0, key: 0 } },
        { waitMs: 74, process: 3, action: { do: 'by-hand', ending: 'forget', holdMs: 1386 } },
      ],
      faults: [
        { on: 'write', at: 3, kind: 'stall-call', ms: 2321 },
        { on: 'write', at: 17, kind: 'stall-answer', ms: 1752 },
        { on: 'call', at: 82, kind: 'refuse', ms: 2778 },
        { on: 'write', at: 30, kind: 'lose-call', ms: 4611 },
        { on: 'call', at: 16, kind: 'stall-call', ms: 4731 },
        { on: 'write', at: 19, kind: 'late', ms: 1185 },
        { on: 'write', at: 26, kind: 'lose-call', ms: 692 },
        { on: 'write', at: 8, kind: 'freeze-sent', ms: 4329 },
      ],
    },
  },
  {
    bug: 'a resume was said to have failed although its signal was taken: the run could not be woken (seed 1, path 17434)',
    schedule: {
      profile: { ...calm, leaseMs: 1500, patienceMs: 500, looks: 'useful' },
      commands: [
        { waitMs: 0, process: 0, action: { do: 'enqueue', act: { do: 'spawn' }, delayMs: 0, key: null } },
        {
          waitMs: 0,
          process: 0,
          action: {
            do: 'trigger',
            parts: [
              { do: 'pause', timeoutMs: null },
              { do: 'pause', timeoutMs: null },
              { do: 'step', ms: 0, fails: 0 },
            ],
            throws: false,
            key: null,
          },
        },
        { waitMs: 26, process: 0, action: { do: 'cancel', target: 0 } },
        { waitMs: 5, process: 0, action: { do: 'resume', target: 0 } },
      ],
      faults: [{ on: 'write', at: 8, kind: 'cut', ms: 248 }],
    },
  },
]
