import { describe, expect, it } from 'vitest'
import { check } from '../src/check.js'
import { EPOCH_MS, LEASE_MS, type Scenario } from './scenario.js'
import { soundRun } from './sound-run.js'

/** What looks wrong and is not: the checker must keep still. The last reading of the rows is the one that counts. */
const cases: readonly (readonly [title: string, add: (run: Scenario) => unknown])[] = [
  [
    'a frozen holder whose body goes on beside its successor, and whose result is discarded',
    (run) => {
      run.enqueue('m9').claim('m9', 'Z1').start('message', 'm9', 'Z1')
      run
        .wait(LEASE_MS + 10)
        .claim('m9', 'Z2', 'w2')
        .start('message', 'm9', 'Z2', {}, 'w2')
      run.end('message', 'm9', 'Z2', { value: '"m9 by Z2"' }, 'w2').finish('m9', '"m9 by Z2"')
      run.wait(50).end('message', 'm9', 'Z1', { value: '"m9 by Z1"' })
      run.call({ name: 'archive', id: 'm9', lease: 'Z1' }, 'fail')
    },
  ],
  [
    'a holder that finishes after its lease has lapsed, when nobody else was granted one',
    (run) => {
      run
        .enqueue('m9')
        .claim('m9', 'Z1')
        .start('message', 'm9', 'Z1')
        .wait(LEASE_MS + 500)
      run.end('message', 'm9', 'Z1', { value: '"m9 by Z1"' }).finish('m9', '"m9 by Z1"')
    },
  ],
  [
    'a message that kills its holders, and ends as a dead letter without another body',
    (run) => {
      run.enqueue('m9')
      for (const lease of ['Z1', 'Z2', 'Z3', 'Z4']) run.claim('m9', lease).wait(LEASE_MS + 10)
      run.finish('m9', null, 'error')
    },
  ],
  [
    'an ambiguous enqueue that is repeated under the same id',
    (run) => {
      const message = { id: 'm9', queue: 'mail', payload: '{"of":"m9"}' }
      run.insert(message).call({ name: 'enqueue', messages: [message] }, 'unknown')
      run.call({ name: 'enqueue', messages: [message] }, 'ok', { ids: ['m9'] })
      run.claim('m9', 'Z1').start('message', 'm9', 'Z1').finish('m9')
    },
  ],
  [
    'a message that was deleted by hand, and is enqueued again under the same id',
    (run) => {
      const message = { id: 'm9', queue: 'mail', payload: '{"of":"m9"}' }
      for (const lease of ['Z1', 'Z2']) {
        run.push({ kind: 'invoke', op: `again ${lease}`, name: 'enqueue', messages: [message] }, 'client')
        run.insert(message)
        run.push({ kind: 'settle', op: `again ${lease}`, outcome: 'ok', value: { ids: ['m9'] } }, 'client')
        run.claim('m9', lease).call({ name: 'dequeue', queue: 'mail', limit: 1 }, 'ok', {
          claimed: [{ id: 'm9', lease, payload: message.payload }],
        })
        run.change('m9', null).call({ name: 'delete', id: 'm9', lease }, 'ok')
      }
    },
  ],
  [
    'an ambiguous enqueue that has not happened',
    (run) => run.call({ name: 'enqueue', messages: [{ id: 'm9', queue: 'mail', payload: '9' }] }, 'unknown'),
  ],
  [
    'a message that yields to the holder of its key, and the key that is free again afterwards',
    (run) => {
      const message = { queue: 'mail', payload: '9', key: 'k' }
      run.enqueue('m9', { key: 'k' })
      run.call({ name: 'enqueue', messages: [{ id: 'm10', ...message }] }, 'ok', { ids: ['m9'] })
      run.claim('m9', 'Z1').start('message', 'm9', 'Z1').finish('m9')
      run.enqueue('m11', { key: 'k' }).claim('m11', 'Z2').start('message', 'm11', 'Z2').finish('m11')
    },
  ],
  [
    'a transaction that was rolled back',
    (run) => {
      const messages = [{ id: 'm9', queue: 'mail', payload: '9' }]
      run.call({ name: 'enqueue', messages, witness: 'x9', batch: true }, 'fail')
    },
  ],
  [
    'a dead letter that an operator replays',
    (run) => {
      run.enqueue('m9').claim('m9', 'Z1').start('message', 'm9', 'Z1')
      run.end('message', 'm9', 'Z1', { how: 'threw', terminal: true })
      run.change('m9', { failures: 1, status: 'error', finishedAt: run.time + EPOCH_MS })
      run.call({ name: 'retry', id: 'm9' }, 'ok', { taken: true })
      const vt = run.time + EPOCH_MS
      run.change('m9', { status: 'queued', finishedAt: null, failures: 0, lease: null, worker: null, vt })
      run.claim('m9', 'Z2').start('message', 'm9', 'Z2').end('message', 'm9', 'Z2').finish('m9')
    },
  ],
  [
    'a failed step that is forgotten and run again with its run',
    (run) => {
      run.enqueue('r9', { queue: 'pay' }).claim('r9', 'A1').start('run', 'r9', 'A1')
      run.start('step', 'r9', 'A1', { step: 'list' }).end('step', 'r9', 'A1', { step: 'list', how: 'threw' })
      run.checkpoint('r9', 'list', { status: 'error', error: '{}' }).checkpoint('r9', 'list', null)
      run.change('r9', { status: 'queued', failures: 1, vt: run.time + EPOCH_MS + 10 }).wait(20)
      run.claim('r9', 'A2').start('run', 'r9', 'A2').step('r9', 'A2', 0, 'list', '"listed by A2"')
      run.end('run', 'r9', 'A2', { value: '"r9 by A2"' }).finish('r9', '"r9 by A2"')
    },
  ],
  [
    'a step whose body runs again because its process died before the checkpoint',
    (run) => {
      run.enqueue('r9', { queue: 'pay' }).claim('r9', 'A1').start('run', 'r9', 'A1')
      run
        .start('step', 'r9', 'A1', { step: 'list' })
        .end('step', 'r9', 'A1', { step: 'list', value: '"by A1"' })
      run
        .wait(LEASE_MS + 10)
        .claim('r9', 'A2')
        .start('run', 'r9', 'A2')
      run.step('r9', 'A2', 0, 'list', '"by A2"').finish('r9')
    },
  ],
  [
    'a cancel of what nobody holds, whose message is never delivered',
    (run) =>
      run
        .enqueue('m9')
        .finish('m9', null, 'cancelled')
        .call({ name: 'cancel', id: 'm9' }, 'ok', { taken: true, status: 'cancelled' }),
  ],
  [
    'a cancel that comes after the end',
    (run) => run.call({ name: 'cancel', id: 'm1' }, 'ok', { taken: false, status: 'success' }),
  ],
  [
    'a signal that nobody waits for any more',
    (run) => run.call({ name: 'signal', id: 'r1', step: 'ask', payload: '"no"' }, 'ok', { taken: false }),
  ],
  [
    'a message that its holder gives back when it is stopped, and one that it puts off',
    (run) => {
      run
        .enqueue('m9')
        .claim('m9', 'Z1')
        .start('message', 'm9', 'Z1')
        .end('message', 'm9', 'Z1', { how: 'threw' })
      run
        .change('m9', { status: 'queued', vt: run.time + EPOCH_MS })
        .claim('m9', 'Z2')
        .wait(10)
      run.change('m9', { status: 'queued', vt: run.time + EPOCH_MS }).claim('m9', 'Z3')
      run.start('message', 'm9', 'Z3').end('message', 'm9', 'Z3').finish('m9')
    },
  ],
  [
    'a heartbeat that had to wait for a lock while its lease lapsed',
    (run) => {
      run.enqueue('m9').claim('m9', 'Z1').start('message', 'm9', 'Z1')
      const asked = run.time
      run.wait(LEASE_MS + 200).change('m9', { vt: asked + EPOCH_MS + LEASE_MS + 1 })
      run.finish('m9')
    },
  ],
  [
    'an extension by hand, longer than a claim, that had to wait for a lock while its lease lapsed',
    (run) => {
      const of = { id: 'm9', lease: 'Z1' }
      run.enqueue('m9').claim('m9', 'Z1', 'client')
      run.call({ name: 'dequeue', queue: 'mail', limit: 1 }, 'ok', {
        claimed: [{ ...of, payload: '{"of":"m9"}' }],
      })
      const asked = run.time
      const leaseMs = 3 * LEASE_MS
      run.push({ kind: 'invoke', op: 'longer', name: 'extend', ...of, leaseMs }, 'client')
      run.wait(LEASE_MS + 200).change('m9', { vt: asked + EPOCH_MS + leaseMs })
      run.push({ kind: 'settle', op: 'longer', outcome: 'ok' }, 'client')
      run.finish('m9').call({ name: 'archive', ...of }, 'ok')
    },
  ],
]

describe('the checker does not mind', () => {
  it.each(cases)('%s', (_title, add) => {
    const run = soundRun()
    run.drop((event) => event.kind === 'row' && ['messages', 'steps', 'tallies'].includes(event.table))
    add(run)
    run.readRows()
    const { verdicts } = check(run.history)
    expect(verdicts.flatMap(({ id, violations }) => violations.map(({ says }) => `${id} ${says}`))).toEqual(
      [],
    )
  })
})
