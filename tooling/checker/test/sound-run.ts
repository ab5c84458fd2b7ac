import { EPOCH_MS, Scenario } from './scenario.js'

/** A history in which everything is as it should be, and in which every invariant finds something to look at. */
export function soundRun(): Scenario {
  const run = new Scenario()
  for (const process of ['w1', 'client']) {
    run.push({ kind: 'system', what: 'resources', when: 'before', counts: { Timeout: 1 } }, process)
    run.push({ kind: 'system', what: 'watched' }, process)
  }
  run.push({ kind: 'mark', what: 'process-started', target: 'w1', worker: true }, 'harness')
  plainMessage(run)
  retriedMessage(run)
  transactionWithMessages(run)
  interruptedRun(run)
  cancelledRun(run)
  run.push({ kind: 'mark', what: 'healed' }, 'harness')
  probe(run)
  run.push({ kind: 'mark', what: 'quiet' }, 'harness')
  lookAround(run)
  return run
}

function plainMessage(run: Scenario): void {
  run.enqueue('m1').claim('m1', 'L1')
  run.start('message', 'm1', 'L1', { payload: '{"of":"m1"}' })
  run.wait(500).change('m1', { vt: run.time + EPOCH_MS + 1000 })
  run.end('message', 'm1', 'L1', { value: '"m1 by L1"' }).finish('m1', '"m1 by L1"')
  run.push({ kind: 'accepted', write: 'finish', id: 'm1', lease: 'L1' })
  run.enqueueHeld('m5', 'L5').start('message', 'm5', 'L5', { payload: '{"of":"m5"}' })
  run.end('message', 'm5', 'L5', { value: '"m5 by L5"' }).finish('m5', '"m5 by L5"')
  // By hand.
  const of = { id: 'h1', lease: 'LH' }
  run.enqueue('h1').claim('h1', 'LH', 'client')
  run.call({ name: 'dequeue', queue: 'mail', limit: 1 }, 'ok', {
    claimed: [{ ...of, payload: '{"of":"h1"}' }],
  })
  run.change('h1', { vt: run.time + EPOCH_MS + 1000 }).call({ name: 'extend', ...of }, 'ok')
  run.finish('h1').call({ name: 'archive', ...of }, 'ok')
}

function retriedMessage(run: Scenario): void {
  run.enqueue('m2', { delayMs: 200, key: 'k' }).wait(300).claim('m2', 'L2')
  run.start('message', 'm2', 'L2', { payload: '{"of":"m2"}' })
  run.end('message', 'm2', 'L2', { how: 'threw' })
  run.change('m2', { status: 'queued', failures: 1, error: '{}', vt: run.time + EPOCH_MS + 100 })
  run.wait(150).claim('m2', 'L3').start('message', 'm2', 'L3', { payload: '{"of":"m2"}' })
  run.end('message', 'm2', 'L3', { value: '"m2 by L3"' }).finish('m2', '"m2 by L3"')
}

function transactionWithMessages(run: Scenario): void {
  const messages = ['m3', 'm4'].map((id) => ({ id, queue: 'mail', payload: JSON.stringify({ of: id }) }))
  for (const message of messages) run.insert(message)
  run.push({ kind: 'row', table: 'witnesses', witness: 'x1', from: 'a', to: 'b', amount: 5 }, 'harness')
  run.call({ name: 'enqueue', messages, witness: 'x1', batch: true }, 'ok', { ids: ['m3', 'm4'] })
  for (const { id } of messages) {
    run.claim(id, `L-${id}`).start('message', id, `L-${id}`).end('message', id, `L-${id}`).finish(id)
  }
}

/** Its first worker dies after the transaction; the second goes on. */
function interruptedRun(run: Scenario): void {
  run.enqueue('r1', { queue: 'pay' }).claim('r1', 'R1').start('run', 'r1', 'R1')
  run.step('r1', 'R1', 0, 'list', '"listed by R1"')
  run.start('transaction', 'r1', 'R1', { step: 'move', after: 'list' })
  const lists = [
    { list: 'l', append: 1 },
    { list: 'l', read: [1] },
  ]
  run.end('transaction', 'r1', 'R1', { step: 'move', value: '"moved by R1"', lists })
  run.checkpoint('r1', 'move', { of: 'transaction', output: '"moved by R1"' })
  run.wait(2000).claim('r1', 'R2', 'w2').start('run', 'r1', 'R2', {}, 'w2')
  run.boundary('r1', 'R2', 0, 'list', { value: '"listed by R1"' })
  run.boundary('r1', 'R2', 1, 'move', { of: 'transaction', value: '"moved by R1"' })
  const reachedMono = run.time
  run.checkpoint('r1', 'rest', { of: 'sleep', wakeAt: run.time + EPOCH_MS + 50 }).wait(60)
  run.boundary('r1', 'R2', 2, 'rest', { of: 'sleep', sleep: { reachedMono, ms: 50 } })
  run.checkpoint('r1', 'ask', { of: 'pause', output: '"yes"' })
  run.call({ name: 'signal', id: 'r1', step: 'ask', payload: '"yes"' }, 'ok', { taken: true })
  run.boundary('r1', 'R2', 3, 'ask', { of: 'pause', value: '"yes"' })
  run.end('run', 'r1', 'R2', { value: '"r1 by R2"' }, 'w2').finish('r1', '"r1 by R2"')
  for (let reader = 0; reader < 2; reader++) {
    run.call({ name: 'result', id: 'r1' }, 'ok', { status: 'success', output: '"r1 by R2"' })
  }
}

function cancelledRun(run: Scenario): void {
  run.enqueue('r2', { queue: 'pay' }).claim('r2', 'C1').start('run', 'r2', 'C1')
  run.start('step', 'r2', 'C1', { step: 'list' }).change('r2', { status: 'cancelling', error: '{}' })
  run.call({ name: 'cancel', id: 'r2' }, 'ok', { taken: true, status: 'cancelling' })
  run.end('step', 'r2', 'C1', { step: 'list', value: '"listed by C1"' })
  run.checkpoint('r2', 'list', { output: '"listed by C1"' }).finish('r2', null, 'cancelled')
}

/** Something to do for the worker when the faults are over. */
function probe(run: Scenario): void {
  run.enqueue('p1').claim('p1', 'P1').start('message', 'p1', 'P1').end('message', 'p1', 'P1').finish('p1')
}

function lookAround(run: Scenario): void {
  run.readRows()
  const counts = { queued: 0, running: 0, paused: 0, cancelling: 0, success: 6, error: 0, cancelled: 0 }
  const tallied = { success: 6, error: 0, cancelled: 0 }
  const witnesses = { rows: 1, checkpoints: 1 }
  run.push({ kind: 'snapshot', queues: { mail: { total: 6, ...counts, tallied } }, money: 200, witnesses })
  run.push({ kind: 'row', table: 'accounts', account: 'a', balance: 85 }, 'harness')
  run.push({ kind: 'row', table: 'accounts', account: 'b', balance: 115 }, 'harness')
  const moved = { from: 'a', to: 'b', amount: 10, value: '"moved by R1"' }
  run.push({ kind: 'row', table: 'witnesses', run: 'r1', step: 'move', ...moved }, 'harness')
  run.push({ kind: 'row', table: 'lists', list: 'l', elements: [1] }, 'harness')
  run.push({ kind: 'system', what: 'integrity', check: 'integrity_check', problems: [] }, 'harness')
  run.push({ kind: 'system', what: 'leftovers', leases: 0, openTransactions: 0, advisoryLocks: 0 }, 'harness')
  run.push({ kind: 'system', what: 'canary', searched: 100, found: [] }, 'harness')
  for (const store of ['sqlite', 'postgres']) {
    run.push({ kind: 'system', what: 'answers', script: 's1', store, answers: ['ok', '3'] }, 'harness')
  }
  for (const process of ['w1', 'client']) {
    run.push({ kind: 'system', what: 'resources', when: 'after', counts: { Timeout: 1 } }, process)
  }
}
