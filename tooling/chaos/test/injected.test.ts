import { historyOf, type HistoryEvent } from '@pgqrs/checker'
import { expect, it } from 'vitest'
import { injected } from '../src/injected.js'

const seen = { process: 'harness', mono: 0, wall: 0 }
const struck = (detail: string, target?: string): HistoryEvent => ({
  ...seen,
  kind: 'mark',
  what: 'fault',
  detail,
  ...(target === undefined ? {} : { target }),
})

it('a run says how often each fault struck, and which had no turn', () => {
  const facts: HistoryEvent = {
    ...seen,
    kind: 'facts',
    store: 'sqlite',
    load: 'test',
    seed: 1,
    faults: ['kill', 'freeze', 'disk-full'],
    leaseMs: 1,
    graceMs: 1,
    pollMs: 1,
    epochMs: 0,
    queues: {},
  }
  const call: HistoryEvent = { ...seen, kind: 'invoke', op: '1', name: 'other', what: 'stop' }
  // What a process does to itself was ordered by a fault that is counted already.
  const own = struck('die at before-claim', 'worker-1.1')
  const history = historyOf([facts, call, struck('kill'), struck('kill'), struck('freeze'), own])
  expect(injected(history)).toEqual([
    'operations: 1 calls, 0 claims, 0 of them with the insert, 0 bodies',
    'faults injected: 3 (kill 2, freeze 1)',
    'faults that had no turn in this time: disk-full',
  ])
})
