import { after, enqueue, fault, profile, trigger, type Regression } from './regression.js'

/** Every schedule that has found a bug of the engine. Each must pass for ever. */
export const regressions: readonly Regression[] = [
  {
    bug: 'a worker that was stopped while it started went on looking at deadlines for ever (seed 1, path 53)',
    schedule: {
      profile: profile(),
      commands: [after(0, 1, { do: 'stop' })],
      faults: [],
    },
  },
  {
    bug: 'a run that was put down in a pause kept a timer, and itself in memory, until the next poll (seed 1, path 108)',
    schedule: {
      profile: profile(),
      commands: [
        after(
          0,
          0,
          trigger([
            { do: 'step', ms: 744, fails: 1 },
            { do: 'map', items: 3 },
            { do: 'pause', timeoutMs: null },
          ]),
        ),
        after(0, 0, enqueue({ do: 'fail' })),
      ],
      faults: [fault('call', 10, 'crash-before', 0)],
    },
  },
  {
    bug: 'the timer that gathers hints outlived its closed store (seed 1, path 577)',
    schedule: {
      profile: profile({ hints: true, leaseMs: 1500 }),
      commands: [
        after(
          0,
          0,
          trigger([
            { do: 'step', ms: 502, fails: 0 },
            { do: 'map', items: 1 },
          ]),
        ),
        after(145, 0, { do: 'replay', target: 0 }),
        after(249, 0, { do: 'jump' }),
        after(240, 0, { do: 'resume', target: 0 }),
        after(5, 0, { do: 'resume', target: 0 }),
        after(4, 0, enqueue({ do: 'flaky', times: 1 }, { key: 0 })),
      ],
      faults: [fault('write', 4, 'cut', 2)],
    },
  },
  {
    bug: 'a transaction went on trying after its run had been cancelled and its store closed (seed 11, path 924)',
    schedule: {
      profile: profile({ workers: 2, concurrency: 5, latency: 2, leaseMs: 3000 }),
      commands: [
        after(166, 0, enqueue({ do: 'return' })),
        after(97, 0, { do: 'replay', target: 0 }),
        after(73, 0, { do: 'cancel', target: 0 }),
        after(44, 1, trigger([{ do: 'map', items: 2 }])),
        after(36, 0, { do: 'stop' }),
        after(0, 0, { do: 'cancel', target: 3 }),
        after(2, 0, { do: 'freeze', ms: 230 }),
        after(176, 0, { do: 'enqueue-many', count: 2, reject: false }),
        after(38, 0, { do: 'stop' }),
        after(154, 1, { do: 'cancel', target: 0 }),
        after(137, 0, { do: 'cancel', target: 0 }),
      ],
      faults: [fault('write', 2, 'freeze-sent', 920), fault('call', 25, 'cut', 721)],
    },
  },
  {
    bug: 'a sleep that was over before it was known that the run had been put down let the code go on without a lease (seed 1, path 3667)',
    schedule: {
      profile: profile({ workers: 3, leaseMs: 1500 }),
      commands: [
        after(0, 0, enqueue({ do: 'slow', ms: 0 }, { delayMs: 278 })),
        after(
          145,
          0,
          trigger(
            [
              { do: 'step', ms: 0, fails: 1 },
              { do: 'pause', timeoutMs: null },
            ],
            { key: 0 },
          ),
        ),
        after(0, 2, trigger([{ do: 'sleep', ms: 1087 }])),
        after(246, 1, { do: 'enqueue-many', count: 3, reject: false }),
        after(150, 0, enqueue({ do: 'slow', ms: 1843 }, { delayMs: 952 })),
        after(131, 1, enqueue({ do: 'terminal' }, { delayMs: 600 })),
        after(163, 3, enqueue({ do: 'flaky', times: 1 }, { delayMs: 36, key: 0 })),
        after(
          9,
          2,
          trigger([
            { do: 'step', ms: 546, fails: 1 },
            { do: 'step', ms: 184, fails: 3 },
            { do: 'transaction' },
            { do: 'pause', timeoutMs: 1441 },
          ]),
        ),
        after(186, 3, enqueue({ do: 'return' }, { delayMs: 795, key: 2 })),
        after(
          238,
          0,
          trigger([
            { do: 'sleep', ms: 1580 },
            { do: 'pause', timeoutMs: 78 },
            { do: 'step', ms: 483, fails: 1 },
            { do: 'transaction' },
          ]),
        ),
      ],
      faults: [
        fault('write', 30, 'lose-call', 336),
        fault('call', 11, 'freeze-executed', 1204),
        fault('call', 72, 'lose-call', 2090),
        fault('write', 4, 'cut', 2576),
        fault('call', 12, 'lose-answer', 68),
        fault('call', 14, 'stall-call', 3654),
        fault('write', 10, 'freeze-executed', 3845),
        fault('write', 28, 'cut', 1243),
      ],
    },
  },
  {
    bug: 'an enqueue was said to have failed although it was there: its answer was lost, and so was the look whether it is (seed 2, path 19391)',
    schedule: {
      profile: profile({
        seed: 513056393,
        workers: 3,
        hints: true,
        leaseMs: 1500,
        patienceMs: 500,
        looks: 'useful',
      }),
      commands: [
        after(207, 1, enqueue({ do: 'slow', ms: 35 }, { delayMs: 128 })),
        after(130, 3, { do: 'by-hand', ending: 'archive', holdMs: 0 }),
        after(12, 1, enqueue({ do: 'fail' }, { delayMs: 297 })),
        after(172, 0, trigger([{ do: 'transaction' }, { do: 'step', ms: 664, fails: 0 }])),
        after(163, 3, enqueue({ do: 'flaky', times: 2 }, { delayMs: 543 })),
        after(62, 0, trigger([{ do: 'transaction' }])),
      ],
      faults: [
        fault('call', 5, 'cut', 2869),
        fault('write', 1, 'lose-answer', 4667),
        fault('call', 61, 'refuse', 1074),
        fault('call', 40, 'cut', 3431),
        fault('write', 1, 'freeze-sent', 4363),
        fault('call', 40, 'lose-call', 2426),
        fault('call', 31, 'busy', 2847),
        fault('call', 6, 'crash-executed', 2028),
      ],
    },
  },
  {
    bug: 'a run began although its lease was known to be lost: its history had taken too long to read (seed 1, path 15464)',
    schedule: {
      profile: profile({ seed: 1900858772, concurrency: 5, hints: true, leaseMs: 1500, looks: 'useful' }),
      commands: [
        after(
          140,
          1,
          trigger(
            [
              { do: 'pause', timeoutMs: 0 },
              { do: 'pause', timeoutMs: null },
            ],
            { key: 0 },
          ),
        ),
        after(3, 0, { do: 'jump' }),
        after(132, 3, enqueue({ do: 'return' }, { delayMs: 220, key: 0 })),
        after(225, 0, enqueue({ do: 'return' })),
        after(0, 0, enqueue({ do: 'return' }, { key: 0 })),
        after(74, 3, { do: 'by-hand', ending: 'forget', holdMs: 1386 }),
      ],
      faults: [
        fault('write', 3, 'stall-call', 2321),
        fault('write', 17, 'stall-answer', 1752),
        fault('call', 82, 'refuse', 2778),
        fault('write', 30, 'lose-call', 4611),
        fault('call', 16, 'stall-call', 4731),
        fault('write', 19, 'late', 1185),
        fault('write', 26, 'lose-call', 692),
        fault('write', 8, 'freeze-sent', 4329),
      ],
    },
  },
  {
    bug: 'a resume was said to have failed although its signal was taken: the run could not be woken (seed 1, path 17434)',
    schedule: {
      profile: profile({ leaseMs: 1500, patienceMs: 500, looks: 'useful' }),
      commands: [
        after(0, 0, enqueue({ do: 'spawn' })),
        after(
          0,
          0,
          trigger([
            { do: 'pause', timeoutMs: null },
            { do: 'pause', timeoutMs: null },
            { do: 'step', ms: 0, fails: 0 },
          ]),
        ),
        after(26, 0, { do: 'cancel', target: 0 }),
        after(5, 0, { do: 'resume', target: 0 }),
      ],
      faults: [fault('write', 8, 'cut', 248)],
    },
  },
  {
    bug: 'a resume of a run that was not there yet was said to have found none, and its first sending took effect later (seed 11, path 3480)',
    schedule: {
      profile: profile({ oneWriter: true, leaseMs: 1500, looks: 'useful' }),
      commands: [
        after(0, 0, enqueue({ do: 'slow', ms: 0 })),
        after(6, 0, trigger([{ do: 'sleep', ms: 0 }], { key: 0 })),
        after(38, 0, { do: 'by-hand', ending: 'archive', holdMs: 0 }),
        after(
          143,
          0,
          trigger([
            { do: 'pause', timeoutMs: null },
            { do: 'pause', timeoutMs: null },
            { do: 'transaction' },
          ]),
        ),
        after(178, 0, { do: 'freeze', ms: 494 }),
        after(0, 0, { do: 'resume', target: 3 }),
        after(50, 0, enqueue({ do: 'fail' })),
        after(44, 0, enqueue({ do: 'terminal' }, { delayMs: 516 })),
      ],
      faults: [
        fault('call', 34, 'freeze-sent', 164),
        fault('call', 38, 'crash-sent', 2816),
        fault('write', 14, 'crash-sent', 167),
        fault('write', 2, 'stall-call', 1009),
        fault('write', 4, 'late', 4160),
        fault('write', 27, 'refuse', 2464),
        fault('call', 73, 'lose-call', 3409),
        fault('call', 33, 'freeze-executed', 464),
      ],
    },
  },
  {
    bug: 'a body began under a grant that its own worker had lost to itself: the clock of the database had jumped (seed 1, path 39453)',
    schedule: {
      profile: profile({
        seed: 1501442732,
        workers: 3,
        concurrency: 5,
        latency: 2,
        leaseMs: 1500,
        looks: 'useful',
      }),
      commands: [
        after(181, 2, trigger([{ do: 'pause', timeoutMs: 0 }])),
        after(49, 0, { do: 'jump' }),
        after(101, 0, { do: 'cancel', target: 0 }),
        after(99, 0, { do: 'jump' }),
        after(21, 0, { do: 'enqueue-in-transaction', commit: false }),
        after(125, 0, { do: 'replay', target: 1 }),
        after(57, 1, {
          do: 'trigger',
          parts: [
            { do: 'pause', timeoutMs: 1461 },
            { do: 'step', ms: 170, fails: 1 },
          ],
          throws: true,
          key: null,
        }),
      ],
      faults: [
        fault('write', 30, 'late', 4300),
        fault('call', 21, 'stall-call', 1228),
        fault('write', 21, 'stall-call', 2702),
        fault('call', 0, 'crash-executed', 1399),
        fault('call', 25, 'late', 2194),
        fault('write', 17, 'freeze-before', 4318),
      ],
    },
  },
  {
    bug: 'a run that was asked to cancel while its history was read began all the same (seed 1, path 39453, another shrinking)',
    schedule: {
      profile: profile({
        seed: 1501442732,
        workers: 3,
        concurrency: 5,
        latency: 2,
        leaseMs: 1500,
        looks: 'useful',
      }),
      commands: [
        after(181, 2, trigger([{ do: 'pause', timeoutMs: 0 }])),
        after(49, 0, { do: 'jump' }),
        after(101, 0, { do: 'cancel', target: 0 }),
        after(100, 1, trigger([{ do: 'step', ms: 0, fails: 0 }, { do: 'transaction' }], { key: 1 })),
        after(212, 1, { do: 'by-hand', ending: 'forget', holdMs: 1851 }),
        after(103, 1, { do: 'jump' }),
        after(21, 1, { do: 'enqueue-in-transaction', commit: false }),
        after(
          96,
          2,
          trigger(
            [
              { do: 'sleep', ms: 2057 },
              { do: 'step', ms: 400, fails: 0 },
              { do: 'map', items: 2 },
            ],
            { key: 0 },
          ),
        ),
        after(125, 0, { do: 'replay', target: 1 }),
        after(57, 1, {
          do: 'trigger',
          parts: [
            { do: 'pause', timeoutMs: 1461 },
            { do: 'step', ms: 170, fails: 1 },
          ],
          throws: true,
          key: null,
        }),
      ],
      faults: [
        fault('write', 30, 'late', 4300),
        fault('call', 21, 'stall-call', 1228),
        fault('write', 21, 'stall-call', 2702),
        fault('call', 0, 'crash-executed', 1399),
        fault('call', 25, 'late', 2194),
        fault('write', 17, 'freeze-before', 4318),
      ],
    },
  },
]
