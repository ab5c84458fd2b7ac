import { describe } from 'vitest'
import { eachIsNoticed, type Case } from './broken-run.js'
import { EPOCH_MS, LEASE_MS, type Scenario } from './scenario.js'

function begun(run: Scenario): Scenario {
  return run.enqueue('r9', { queue: 'pay' }).claim('r9', 'A1').start('run', 'r9', 'A1')
}

function cancelled(run: Scenario): Scenario {
  return begun(run)
    .change('r9', { status: 'cancelling' })
    .call({ name: 'cancel', id: 'r9' }, 'ok', { taken: true, status: 'cancelling' })
}

function retaken(run: Scenario): Scenario {
  return run.wait(LEASE_MS + 10).claim('r9', 'A2', 'w2')
}

const stateCases: readonly Case[] = [
  [
    'W1',
    'a cancelled run that becomes a success',
    /from cancelled to success/,
    (run) => run.change('r2', { status: 'success' }),
  ],
  [
    'W1',
    'a message that is running from the beginning in nobody’s hands',
    /began as running/,
    (run) => run.change('r9', { ...run.state('r1'), status: 'running', lease: null, finishedAt: null }),
  ],
  [
    'W1',
    'a running run that is cancelled past its holder',
    /from running to cancelled/,
    (run) => begun(run).finish('r9', null, 'cancelled'),
  ],
  [
    'W1',
    'a dead letter that comes back by itself',
    /from error to queued/,
    (run) => begun(run).finish('r9', null, 'error').change('r9', { status: 'queued', finishedAt: null }),
  ],
  [
    'W12',
    'a step of a run that was claimed to be cancelled',
    /claimed to be cancelled/,
    (run) => retaken(cancelled(run)).start('step', 'r9', 'A2', { step: 'list' }),
  ],
  [
    'W12',
    'a step after the answer that told of the cancel',
    /told of the cancel/,
    (run) =>
      cancelled(run)
        .checkpoint('r9', 'list', { output: '1' })
        .start('step', 'r9', 'A1', { step: 'pack', after: 'list' }),
  ],
  [
    'W12',
    'a step after the end',
    /after the run was cancelled/,
    (run) =>
      cancelled(run).finish('r9', null, 'cancelled').wait(10).start('step', 'r9', 'A1', { step: 'list' }),
  ],
  [
    'W12',
    'a cancel that is ignored',
    /it ended as success/,
    (run) => cancelled(run).finish('r9', '1', 'success'),
  ],
  [
    'W13',
    'a result that is written before the end',
    /result is there before the end/,
    (run) => begun(run).change('r9', { output: '1' }).finish('r9', '1'),
  ],
  [
    'W13',
    'an end in two changes',
    /success, but not finished/,
    (run) => begun(run).change('r9', { status: 'success', output: '1' }),
  ],
  [
    'W15',
    'two readers with two results',
    /different results/,
    (run) => run.call({ name: 'result', id: 'r1' }, 'ok', { status: 'success', output: '"another"' }),
  ],
  [
    'W15',
    'the result of a run that has none',
    /did not have then/,
    (run) => begun(run).call({ name: 'result', id: 'r9' }, 'ok', { status: 'success', output: '1' }),
  ],
]

const stepCases: readonly Case[] = [
  [
    'W2',
    'a result that is overwritten',
    /was overwritten/,
    (run) => run.checkpoint('r1', 'list', { output: '"listed by R2"' }),
  ],
  [
    'W2',
    'a result that is recorded again',
    /was overwritten/,
    (run) => run.checkpoint('r1', 'list', { output: '"listed by R1"' }),
  ],
  ['W2', 'a result that is forgotten', /was forgotten/, (run) => run.checkpoint('r1', 'list', null)],
  [
    'W2',
    'a replay that sees another value',
    /two values of one step/,
    (run) => run.boundary('r1', 'R2', 0, 'list', { value: '"listed by R2"' }),
  ],
  [
    'W2',
    'code that sees what is not recorded',
    /the code saw 2, recorded is 1/,
    (run) =>
      begun(run).checkpoint('r9', 'list', { output: '1' }).boundary('r9', 'A1', 0, 'list', { value: '2' }),
  ],
  [
    'W3',
    'a step that runs again for the next holder',
    /ran again/,
    (run) => retaken(begun(run).step('r9', 'A1', 0, 'list', '1')).start('step', 'r9', 'A2', { step: 'list' }),
  ],
  [
    'W3',
    'a step that runs again for the same holder',
    /ran again/,
    (run) => begun(run).step('r9', 'A1', 0, 'list', '1').wait(10).start('step', 'r9', 'A1', { step: 'list' }),
  ],
  [
    'W4',
    'a step with an attempt too many',
    /began 3 times under one lease, 2 are allowed/,
    (run) => {
      begun(run)
      for (let i = 0; i < 3; i++) run.start('step', 'r9', 'A1', { step: 'list' })
    },
  ],
  [
    'W5',
    'a transfer that happens twice',
    /took effect 2 times/,
    (run) => run.push({ kind: 'row', table: 'witnesses', run: 'r1', step: 'move' }),
  ],
  [
    'W5',
    'a recorded transfer that did not happen',
    /its writes are not there/,
    (run) => begun(run).checkpoint('r9', 'move', { of: 'transaction', output: '1' }),
  ],
  [
    'W5',
    'a transfer that is not recorded',
    /it is not recorded/,
    (run) => begun(run).push({ kind: 'row', table: 'witnesses', run: 'r9', step: 'move' }),
  ],
  [
    'W5',
    'the writes of one attempt and the value of another',
    /the recorded value of another/,
    (run) =>
      run.edit('row', (row) => row.table === 'witnesses' && row.run === 'r1', { value: '"moved by R2"' }),
  ],
  [
    'W5',
    'money that moved without a transfer',
    /account a holds 80, its transfers make 85/,
    (run) => run.edit('row', (row) => row.table === 'accounts' && row.account === 'a', { balance: 80 }),
  ],
  [
    'W5',
    'a snapshot between the effect and its checkpoint',
    /2 effects and 1 checkpoints/,
    (run) => run.edit('snapshot', () => true, { witnesses: { rows: 2, checkpoints: 1 } }),
  ],
]

const replayCases: readonly Case[] = [
  [
    'W6',
    'a replay that takes another path',
    /was list, and pack in a replay/,
    (run) => run.boundary('r1', 'R2', 0, 'pack'),
  ],
  [
    'W7',
    'a step that does not wait for the one before it',
    /pack began before the result of list was recorded/,
    (run) =>
      begun(run)
        .start('step', 'r9', 'A1', { step: 'pack', after: 'list' })
        .wait(10)
        .checkpoint('r9', 'list', { output: '1' }),
  ],
  [
    'W7',
    'a step whose predecessor was never recorded',
    /pack began before the result of list/,
    (run) => begun(run).start('step', 'r9', 'A1', { step: 'pack', after: 'list' }),
  ],
  ['W8', 'a timer that fires early', /fired \d+ ms early/, (run) => sleeping(run, 500, 100)],
  [
    'W8',
    'a timer that is set too early',
    /a sleep of 1000 ms was set to end/,
    (run) => sleeping(run, 500, 600),
  ],
  [
    'W8',
    'a timer that is set twice',
    /set twice/,
    (run) =>
      sleeping(run.enqueue('m10'), 1000, 1100)
        .checkpoint('r9', 'rest', null)
        .checkpoint('r9', 'rest', { of: 'sleep', wakeAt: run.time + EPOCH_MS }),
  ],
  [
    'W9',
    'a signal that is taken twice',
    /2 signals were taken for one pause/,
    (run) => run.call({ name: 'signal', id: 'r1', step: 'ask', payload: '"no"' }, 'ok', { taken: true }),
  ],
  [
    'W9',
    'a pause that was given what nobody sent',
    /which no signal that was taken has brought/,
    (run) => begun(run).boundary('r9', 'A1', 0, 'ask', { of: 'pause', value: '"no"' }),
  ],
  [
    'W9',
    'a signal that is lost',
    /did not arrive/,
    (run) =>
      begun(run)
        .call({ name: 'signal', id: 'r9', step: 'ask', payload: '"no"' }, 'ok', { taken: true })
        .boundary('r9', 'A1', 0, 'ask', { of: 'pause' })
        .finish('r9', '1'),
  ],
]

/** A sleep of 1000 ms that is set to `setMs` and takes `tookMs`. */
function sleeping(run: Scenario, setMs: number, tookMs: number): Scenario {
  begun(run)
  const reachedMono = run.time
  run.checkpoint('r9', 'rest', { of: 'sleep', wakeAt: run.time + EPOCH_MS + setMs }).wait(tookMs)
  return run.boundary('r9', 'A1', 0, 'rest', { of: 'sleep', sleep: { reachedMono, ms: 1000 } })
}

describe('states of runs', () => {
  eachIsNoticed(stateCases)
})

describe('steps', () => {
  eachIsNoticed(stepCases)
})

describe('replay, timers, signals', () => {
  eachIsNoticed(replayCases)
})
