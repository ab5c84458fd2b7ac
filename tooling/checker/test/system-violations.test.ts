import { describe, expect, it } from 'vitest'
import { check } from '../src/check.js'
import type { ListOperation } from '../src/history.js'
import { eachIsNoticed, type Case } from './broken-run.js'
import type { Scenario } from './scenario.js'
import { soundRun } from './sound-run.js'

/** A committed transactional step that works on lists. */
function onLists(run: Scenario, id: string, lists: readonly ListOperation[]): Scenario {
  const value = JSON.stringify(`by ${id}`)
  run.enqueue(id, { queue: 'pay' }).claim(id, id).start('transaction', id, id, { step: 'add' })
  run.end('transaction', id, id, { step: 'add', value, lists })
  return run.checkpoint(id, 'add', { of: 'transaction', output: value })
}

function elements(run: Scenario, list: string, numbers: readonly number[]): Scenario {
  return run.push({ kind: 'row', table: 'lists', list, elements: numbers }, 'harness')
}

function growing(run: Scenario): void {
  for (let i = 0; i < 9; i++) {
    const heapBytes = (20 + i * 20) * 2 ** 20
    run.push({ kind: 'system', what: 'resources', when: 'during', counts: {}, heapBytes })
  }
}

const cases: readonly Case[] = [
  [
    'S1',
    'a timer that is left',
    /2 of Timeout are left/,
    (run) => run.push({ kind: 'system', what: 'resources', when: 'after', counts: { Timeout: 3 } }),
  ],
  ['S1', 'a heap that grows', /the heap grew/, growing],
  [
    'S2',
    'a corrupt database',
    /integrity_check: row 3 missing/,
    (run) =>
      run.push({ kind: 'system', what: 'integrity', check: 'integrity_check', problems: ['row 3 missing'] }),
  ],
  [
    'S3',
    'an unhandled rejection',
    /unhandledRejection/,
    (run) => run.push({ kind: 'system', what: 'uncaught', message: 'unhandledRejection: x' }),
  ],
  [
    'S4',
    'a call that never ends',
    /had not settled 5000 ms after/,
    (run) => run.call({ name: 'status', id: 'm1' }).wait(7000).call({ name: 'status', id: 'm1' }, 'ok'),
  ],
  [
    'S4',
    'a promise that does not settle',
    /had not settled after 100 ms/,
    (run) => run.push({ kind: 'system', what: 'unsettled', op: 'op1', afterMs: 100 }),
  ],
  [
    'S4',
    'a call that ends too late',
    /settled after 9001 ms, its limit is 5000 ms/,
    (run) => {
      const call = { name: 'status', id: 'm1', timeoutMs: 5000 } as const
      run.push({ kind: 'invoke', op: 'late', ...call }, 'client').wait(9000)
      run.push({ kind: 'settle', op: 'late', outcome: 'fail' }, 'client')
    },
  ],
  [
    'S5',
    'a lease that is left',
    /2 leases are left/,
    (run) =>
      run.push({ kind: 'system', what: 'leftovers', leases: 2, openTransactions: 0, advisoryLocks: 0 }),
  ],
  [
    'S6',
    'a password in a log',
    /the password is in worker.log:3/,
    (run) => run.push({ kind: 'system', what: 'canary', searched: 1, found: ['worker.log:3'] }),
  ],
  [
    'S7',
    'two stores that answer differently',
    /operation 1 of script s1: sqlite answers 3, turso answers 4/,
    (run) =>
      run.push({ kind: 'system', what: 'answers', script: 's1', store: 'turso', answers: ['ok', '4'] }),
  ],
  [
    'S7L',
    'an append that is lost',
    /and it is not there/,
    (run) => elements(onLists(run, 'r9', [{ list: 'x', append: 7 }]), 'x', []),
  ],
  ['S7L', 'an append of nobody', /no committed step has appended/, (run) => elements(run, 'x', [8])],
  [
    'S7L',
    'an append that is there twice',
    /7 is 2 times in x/,
    (run) => elements(onLists(run, 'r9', [{ list: 'x', append: 7 }]), 'x', [7, 7]),
  ],
  [
    'S7L',
    'a read of what never was',
    /read what x never was/,
    (run) =>
      elements(
        onLists(onLists(run, 'r9', [{ list: 'x', append: 7 }]), 'r8', [{ list: 'x', read: [8] }]),
        'x',
        [7],
      ),
  ],
  [
    'S7L',
    'a step that does not see its own append',
    /its own append/,
    (run) =>
      elements(
        onLists(run, 'r9', [
          { list: 'x', append: 7 },
          { list: 'x', read: [] },
        ]),
        'x',
        [7],
      ),
  ],
  [
    'S7L',
    'two transactions that each came before the other',
    /in a circle: r[89]\/add → r[89]\/add/,
    (run) => {
      for (const [id, number] of [
        ['r8', 1],
        ['r9', 2],
      ] as const) {
        onLists(run, id, [
          { list: 'x', append: number },
          { list: 'y', append: number },
        ])
      }
      elements(elements(run, 'x', [1, 2]), 'y', [2, 1])
    },
  ],
]

describe('the system', () => {
  eachIsNoticed(cases)

  it('S4 does not blame a call whose process was killed, nor one whose process was stopped', () => {
    const run = soundRun()
    const call = { name: 'status', id: 'm1', timeoutMs: 5000 } as const
    run.push({ kind: 'invoke', op: 'killed', ...call }, 'w3')
    run.push({ kind: 'mark', what: 'process-ended', target: 'w3', detail: 'SIGKILL' }, 'harness')
    run.push({ kind: 'invoke', op: 'stopped', ...call }, 'w4')
    run.push({ kind: 'mark', what: 'fault', target: 'w4', detail: 'SIGSTOP' }, 'harness').wait(9000)
    run.push({ kind: 'settle', op: 'stopped', outcome: 'fail' }, 'w4')
    expect(check(run.history, { only: ['S4'] }).verdicts[0]?.violations).toEqual([])
  })

  it('S7L lets a later statement see more at READ COMMITTED, and not where transactions are serializable', () => {
    const skew = (store: 'postgres' | 'sqlite'): number => {
      const run = soundRun().edit('facts', () => true, { store })
      onLists(run, 'r8', [
        { list: 'x', read: [] },
        { list: 'y', append: 1 },
      ])
      onLists(run, 'r9', [
        { list: 'y', read: [] },
        { list: 'x', append: 2 },
      ])
      elements(elements(run, 'x', [2]), 'y', [1])
      return check(run.history, { only: ['S7L'] }).failed
    }
    expect(skew('postgres')).toBe(0)
    expect(skew('sqlite')).toBe(1)
  })
})
