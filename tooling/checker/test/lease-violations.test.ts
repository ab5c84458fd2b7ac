import { describe } from 'vitest'
import { eachIsNoticed, type Case } from './broken-run.js'
import { EPOCH_MS, LEASE_MS, type Scenario } from './scenario.js'

/** A message that a frozen holder and its successor work on at the same time. */
function zombie(run: Scenario): Scenario {
  run.enqueue('m9').claim('m9', 'Z1').start('message', 'm9', 'Z1')
  run
    .wait(LEASE_MS + 10)
    .claim('m9', 'Z2', 'w2')
    .start('message', 'm9', 'Z2', {}, 'w2')
  return run
}

const leaseCases: readonly Case[] = [
  [
    'Q7',
    'a claim before the lease is over',
    /ms before the end of lease Z1/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').wait(100).claim('m9', 'Z2', 'w2'),
  ],
  [
    'Q7',
    'a lease that somebody else ends while its holder is at work',
    /was ended while its holder was at work/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'Z1')
        .start('message', 'm9', 'Z1')
        .change('m9', { status: 'queued', vt: 0 })
        .end('message', 'm9', 'Z1'),
  ],
  [
    'Q8',
    'a lease id that is used again',
    /granted twice/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').wait(2000).claim('m9', 'Z2').wait(2000).claim('m9', 'Z1'),
  ],
  ['Q8', 'a lease id of two workers', /two workers/, (run) => run.enqueue('m9').claim('m9', 'L1', 'w2')],
  [
    'Q8',
    'a message that is handed out without a claim',
    /never granted/,
    (run) =>
      run.enqueue('m9').call({ name: 'dequeue', queue: 'mail', limit: 1 }, 'ok', {
        claimed: [{ id: 'm9', lease: 'Z1', payload: '{"of":"m9"}' }],
      }),
  ],
  [
    'Q8',
    'claims that do not count up',
    /claims went from 1 to 3/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').change('m9', { lease: 'Z2', claims: 3 }),
  ],
  [
    'Q8',
    'a message that is held from the start without a claim',
    /inserted with 0 claims and the lease Z1/,
    (run) =>
      run
        .enqueueHeld('m9', 'Z1')
        .change('m9', null)
        .change('m9', { ...run.state('m5'), lease: 'Z1', claims: 0 }),
  ],
  [
    'Q8',
    'a claim under the old lease',
    /left the old lease/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').wait(2000).claim('m9', 'Z1'),
  ],
  [
    'Q8',
    'a lease that changes without a claim',
    /without a claim/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').change('m9', { lease: 'Z2' }),
  ],
  [
    'Q9',
    'a zombie whose result is kept',
    /result of lease Z1 was recorded while lease Z2/,
    (run) => zombie(run).end('message', 'm9', 'Z1', { value: '"m9 by Z1"' }).finish('m9', '"m9 by Z1"'),
  ],
  [
    'Q9',
    'a result nobody returned',
    /nobody has returned/,
    (run) => zombie(run).end('message', 'm9', 'Z2', { value: '"m9 by Z2"' }).finish('m9', '"m9 by Z3"'),
  ],
  [
    'Q9',
    'a zombie whose checkpoint is kept',
    /result of lease Z1 was recorded while lease Z2/,
    (run) =>
      zombie(run)
        .end('step', 'm9', 'Z1', { step: 'pack', value: '"packed by Z1"' })
        .checkpoint('m9', 'pack', { output: '"packed by Z1"' }),
  ],
  [
    'Q9',
    'a zombie that is told it has finished the message',
    /finish under lease Z1 was accepted/,
    (run) => zombie(run).call({ name: 'archive', id: 'm9', lease: 'Z1' }, 'ok'),
  ],
  [
    'Q9',
    'a zombie that is told it has recorded a step',
    /record under lease Z1 was accepted/,
    (run) => zombie(run).push({ kind: 'accepted', write: 'record', id: 'm9', lease: 'Z1', step: 'pack' }),
  ],
  [
    'Q10',
    'a heartbeat that revives a lapsed lease',
    /after it had lapsed/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'Z1')
        .wait(1500)
        .change('m9', { vt: run.time + EPOCH_MS + LEASE_MS }),
  ],
  [
    'Q10',
    'an extension by hand, longer than a claim, that revives a lapsed lease',
    /after it had lapsed/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'Z1', 'client')
        .wait(1500)
        .call({ name: 'extend', id: 'm9', lease: 'Z1', leaseMs: 3 * LEASE_MS })
        .change('m9', { vt: run.time + EPOCH_MS + 3 * LEASE_MS }),
  ],
  [
    'Q10',
    'a heartbeat that is accepted after the next grant',
    /after somebody else was granted one/,
    (run) => zombie(run).wait(10).call({ name: 'extend', id: 'm9', lease: 'Z1' }, 'ok'),
  ],
  [
    'Q11',
    'a claim that is not counted',
    /counts 2 claims, 1 were committed/,
    (run) =>
      run
        .enqueue('m9')
        .claim('m9', 'Z1')
        .change('m9', { claims: 2 })
        .drop((e) => 'seq' in e && e.seq === lastSeq(run))
        .readRows(),
  ],
  [
    'Q11',
    'a crash that counts as a failure',
    /failures went from 0 to 1/,
    (run) => zombie(run).change('m9', { failures: 1 }),
  ],
  [
    'Q11',
    'a lost lease that counts nothing',
    /crashes went from 0 to 0/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').wait(2000).change('m9', { claims: 2, lease: 'Z2' }),
  ],
  [
    'Q11',
    'an attempt too many',
    /tried again after 3 failed attempts of 3/,
    (run) =>
      run
        .enqueue('m9')
        .change('m9', { failures: 2 })
        .claim('m9', 'Z1')
        .change('m9', { failures: 3, status: 'queued' }),
  ],
  [
    'Q11',
    'a dead letter too soon',
    /which are not all/,
    (run) => run.enqueue('m9').claim('m9', 'Z1').change('m9', { failures: 1 }).finish('m9', null, 'error'),
  ],
  [
    'Q11',
    'a poison message that is run again',
    /had crashed 3 times/,
    (run) => run.enqueue('m9').change('m9', { crashes: 3 }).claim('m9', 'Z1').start('message', 'm9', 'Z1'),
  ],
]

function lastSeq(run: Scenario): number {
  return Math.max(...run.events.map((event) => ('seq' in event ? event.seq : 0)))
}

describe('leases', () => {
  eachIsNoticed(leaseCases)
})
