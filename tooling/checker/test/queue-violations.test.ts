import { describe } from 'vitest'
import { eachIsNoticed, type Case } from './broken-run.js'
import { EPOCH_MS, type Scenario } from './scenario.js'

const delivered = '{"of":"m9"}'
const m9 = { id: 'm9', queue: 'mail', payload: delivered }

function manyPassOver(run: Scenario): void {
  run.edit('facts', () => true, { passedOverAtMost: 3 }).enqueue('m9')
  for (let i = 0; i < 4; i++) run.enqueue(`later${i}`).claim(`later${i}`, `N${i}`)
  run.claim('m9', 'N9')
}

const deliveryCases: readonly Case[] = [
  [
    'Q1',
    'an acknowledged message that is gone',
    /is gone/,
    (run) => run.call({ name: 'enqueue', messages: [m9] }, 'ok', { ids: ['m9'] }),
  ],
  ['Q1', 'a message that does not finish', /has not finished/, (run) => run.enqueue('m9').readRows()],
  [
    'Q1',
    'a message that ends without a delivery',
    /never delivered/,
    (run) => run.enqueue('m9').claim('m9', 'N1').finish('m9').readRows(),
  ],
  [
    'Q2',
    'a message that nobody enqueued',
    /nobody enqueued/,
    (run) => run.start('message', 'm9', 'N1', { payload: delivered }),
  ],
  [
    'Q2',
    'a message whose enqueue was refused',
    /failed for certain/,
    (run) => run.insert(m9).call({ name: 'enqueue', messages: [m9] }, 'fail'),
  ],
  [
    'Q2',
    'a message that yielded to another of its key, and is there',
    /yielded/,
    (run) => run.insert(m9).call({ name: 'enqueue', messages: [m9] }, 'ok', { ids: ['m1'] }),
  ],
  [
    'Q3',
    'a payload that changed on its way',
    /payload delivered/,
    (run) => run.enqueue('m9').claim('m9', 'N1').start('message', 'm9', 'N1', { payload: '{"of":"m8"}' }),
  ],
  [
    'Q3',
    'a payload that changed on its way to who claims by hand',
    /payload claimed by hand/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'N1')
        .call({ name: 'dequeue', queue: 'mail', limit: 1 }, 'ok', {
          claimed: [{ id: 'm9', lease: 'N1', payload: '{"of":"m8"}' }],
        }),
  ],
  [
    'Q4',
    'a repeat after a lost answer that makes a second message',
    /a second time/,
    (run) =>
      run
        .insert(m9)
        .call({ name: 'enqueue', messages: [m9] }, 'unknown')
        .insert({ ...m9, id: 'm10' }),
  ],
  [
    'Q4',
    'a message that comes again by itself after it was deleted',
    /nobody enqueued it then/,
    (run) => run.enqueue('m9').claim('m9', 'N1').change('m9', null).wait(100).insert(m9),
  ],
  [
    'Q5',
    'a result that overwrites a cancel',
    /from cancelled to success/,
    (run) => run.change('r2', { status: 'success' }),
  ],
  [
    'Q5',
    'a second result',
    /finished message changed/,
    (run) => run.change('m1', { output: '"m1 by another"' }),
  ],
  [
    'Q5',
    'two holders that were told they had finished it',
    /2 holders/,
    (run) => run.push({ kind: 'accepted', write: 'finish', id: 'm1', lease: 'L0' }),
  ],
  [
    'Q6',
    'a claim of what has finished',
    /was claimed/,
    (run) => run.change('m1', { lease: 'N1', claims: 2 }),
  ],
  ['Q6', 'a body under a lease nobody got', /never granted/, (run) => run.start('message', 'm1', 'N1')],
  [
    'Q6',
    'a body that begins after its own end',
    /after its own lease/,
    (run) => run.wait(10).start('message', 'm1', 'L1'),
  ],
]

const otherCases: readonly Case[] = [
  [
    'Q12',
    'a claim before the message is due',
    /ms before it was due/,
    (run) => run.enqueue('m9', { delayMs: 500 }).claim('m9', 'N1'),
  ],
  [
    'Q12',
    'a delay counted by a wrong clock',
    /with a delay of 500 ms/,
    (run) =>
      run
        .enqueue('m9', { delayMs: 500 })
        .change('m9', { vt: run.time + EPOCH_MS })
        .claim('m9', 'N1')
        .start('message', 'm9', 'N1'),
  ],
  [
    'Q12',
    'a message that was put off by hand and is due at once',
    /given back for 500 ms/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'N1')
        .change('m9', { status: 'queued', vt: run.time + EPOCH_MS })
        .call({ name: 'release', id: 'm9', lease: 'N1', delayMs: 500 }, 'ok'),
  ],
  [
    'Q12',
    'a retry without its back-off',
    /after a failure, not 100 ms/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'N1')
        .start('message', 'm9', 'N1')
        .end('message', 'm9', 'N1', { how: 'threw' })
        .change('m9', { status: 'queued', failures: 1, vt: run.time + EPOCH_MS }),
  ],
  ['Q14', 'a message that is passed over', /4 messages that became due later/, manyPassOver],
  [
    'Q16',
    'two messages of one key',
    /was taken by m9 already/,
    (run) => run.enqueue('m9', { key: 'same' }).enqueue('m10', { key: 'same' }),
  ],
  [
    'Q17',
    'statuses that do not add up',
    /7 messages, but 6 by status/,
    (run) =>
      run.edit(
        'snapshot',
        () => true,
        (s) => ({ queues: { mail: { ...s.queues?.['mail'], total: 7 } } }),
      ),
  ],
  [
    'Q17',
    'a tally that is wrong',
    /7 messages that ended as success, 5 are counted/,
    (run) => run.edit('row', (row) => row.table === 'tallies' && row.queue === 'mail', { n: 5 }),
  ],
  [
    'Q17',
    'a row that vanished',
    /vanished without a trace/,
    (run) => run.drop((event) => event.kind === 'row' && event.table === 'messages' && event.id === 'm1'),
  ],
  [
    'Q17',
    'a row that changed unseen',
    /changed without a trace/,
    (run) => run.edit('row', (row) => row.table === 'messages' && row.id === 'm1', { status: 'error' }),
  ],
  [
    'Q18',
    'a message of a transaction that was rolled back',
    /not there, and 1 of 1 messages/,
    (run) => run.insert(m9).call({ name: 'enqueue', messages: [m9], witness: 'x9' }, 'fail'),
  ],
  [
    'Q18',
    'half a transaction',
    /there, and 0 of 1 messages/,
    (run) =>
      run
        .push({ kind: 'row', table: 'witnesses', witness: 'x9' })
        .call({ name: 'enqueue', messages: [m9], witness: 'x9' }, 'unknown'),
  ],
  [
    'Q18',
    'a commit that is not there',
    /witness of a commit is not there/,
    (run) => run.call({ name: 'enqueue', messages: [m9], witness: 'x9' }, 'ok', { ids: ['m9'] }),
  ],
  [
    'Q18',
    'money from nowhere',
    /the accounts hold 201, not 200/,
    (run) => run.edit('snapshot', () => true, { money: 201 }),
  ],
  [
    'Q17',
    'a tally that is wrong in a snapshot',
    /6 messages ended as success, 5 are counted/,
    (run) =>
      run.edit(
        'snapshot',
        () => true,
        (s) => ({
          queues: { mail: { ...s.queues?.['mail'], tallied: { success: 5, error: 0, cancelled: 0 } } },
        }),
      ),
  ],
  [
    'Q18',
    'a transaction that took effect twice',
    /the witness x1 is there twice/,
    (run) => run.push({ kind: 'row', table: 'witnesses', witness: 'x1' }),
  ],
  [
    'Q18',
    'a transaction that was rolled back and is there',
    /rolled back is there/,
    (run) =>
      run
        .push({ kind: 'row', table: 'witnesses', witness: 'x9' })
        .call({ name: 'enqueue', messages: [m9], witness: 'x9' }, 'fail'),
  ],
  [
    'Q18',
    'money that is gone in the end',
    /hold 190 in the end, not 200/,
    (run) => run.edit('row', (row) => row.table === 'accounts' && row.account === 'a', { balance: 75 }),
  ],
  [
    'Q19',
    'half a batch',
    /1 of the 2 messages of a batch/,
    (run) => {
      const messages = [m9, { ...m9, id: 'm10', payload: '10' }]
      return run.insert(m9).call({ name: 'enqueue', messages, batch: true }, 'unknown')
    },
  ],
  [
    'Q20',
    'a worker that does nothing any more',
    /worker w1 did nothing/,
    (run) =>
      run
        .edit('started', (s) => s.id === 'p1', { process: 'w2' })
        .edit('ended', (s) => s.id === 'p1', { process: 'w2' }),
  ],
  [
    'Q20',
    'a backlog that stays',
    /queued when nothing should be left/,
    (run) => run.enqueue('m9').readRows(),
  ],
]

describe('delivery', () => {
  eachIsNoticed(deliveryCases)
})

describe('schedule, conservation, liveness', () => {
  eachIsNoticed(otherCases)
})
