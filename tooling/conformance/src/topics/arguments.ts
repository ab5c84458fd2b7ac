import { describe, expect, it } from 'vitest'
import { ClosedError, defineQueue, defineWorkflow } from '@pgqrs/core'
import {
  badCounts,
  badDurations,
  counts,
  durations,
  each,
  nothing,
  otherNonsense,
  queue,
  unknownOptions,
} from '../bad-arguments.js'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'
import { errorOf, expectRefused, openWithoutDatabase, type RefusedCall } from '../untouched-database.js'

/** Arguments that cannot be right: each is refused by name, before anything happens. */
export function badArguments(target: Target): void {
  describe('bad arguments', () => {
    const bench = useBench(target)

    it('refuses every duration that is none, and names the option', async () => {
      const store = await openWithoutDatabase(bench)
      await expectRefused('INVALID_ARGUMENT', each(badDurations, durations(store)))
    })

    it('refuses every count that is none, and names the option', async () => {
      const store = await openWithoutDatabase(bench)
      await expectRefused('INVALID_ARGUMENT', each(badCounts, counts(store)))
    })

    it('refuses a setting that cannot be right when it connects, and says that it was an option', async () => {
      const spans = ['connectionTimeout', 'lease', 'heartbeatInterval', 'pollInterval']
      const numbers = ['maxConnections', 'batchSize', 'maxCrashes']
      await expectRefused('INVALID_CONFIG', [
        ...each(
          badDurations,
          spans.map((name) => [name, (bad) => bench.open({ [name]: bad })]),
        ),
        ...each(
          badCounts,
          numbers.map((name) => [name, (bad) => bench.open({ [name]: bad })]),
        ),
        ...each([0, 'yes', null], [['sqliteWal', (bad) => bench.open({ sqliteWal: bad })]]),
        ['a lease no heartbeat could keep', () => bench.open({ lease: '50ms' }), 'option: lease'],
        ['no connections', () => bench.open({ maxConnections: 0 }), 'option: maxConnections'],
      ])
    })

    it('refuses options nobody reads, with the nearest one that is read', async () => {
      const store = await openWithoutDatabase(bench)
      await expectRefused(
        'INVALID_CONFIG',
        unknownOptions(store).map(([what, call, nearest]) => [what, call, `Did you mean "${nearest}"?`]),
      )
      await expectRefused('INVALID_CONFIG', [
        ['connect', () => bench.open({ pollIntervall: 5 }), 'Did you mean "pollInterval"?'],
        ['connect, nothing near', () => bench.open({ zzzzzzzzzzzz: 5 }), '"zzzzzzzzzzzz"'],
      ])
    })

    it('refuses options that are no object', async () => {
      const store = await openWithoutDatabase(bench)
      for (const bad of [null, 5, 'delay', ['delay'], () => 1]) {
        const options = bad as never
        await expectRefused('INVALID_ARGUMENT', [
          ['enqueue', () => store.producer(queue).enqueue(1, options)],
          ['enqueueMany', () => store.producer(queue).enqueueMany([1], options)],
          ['enqueueMany each', () => store.producer(queue).enqueueMany([1], { each: () => options })],
          ['dequeue', () => store.consumer(queue).dequeue(options)],
          ['worker', () => store.worker([queue.handler(nothing)], options)],
          ['defineQueue', () => defineQueue('q', options)],
          ['handler', () => queue.handler(nothing, options)],
          ['limits', () => store.producer(queue, { limits: options })],
          ['rateLimit', () => store.producer(queue, { rateLimit: options })],
          ['retry', () => queue.handler(nothing, { retry: options })],
          ['list', () => store.admin.messages.list(options)],
        ])
      }
    })

    it('refuses everything else that cannot be right', async () => {
      const store = await openWithoutDatabase(bench)
      await expectRefused('INVALID_ARGUMENT', otherNonsense(store))
    })

    it('finds nothing under an id that is none, or that nobody has', async () => {
      const store = await bench.open()
      const { messages, dead, runs, workers } = store.admin
      const ids = [
        '',
        'nonsense',
        '01900000-0000-7000-8000-00000000000',
        `'; --`,
        'a\0b',
        '\ud800',
        5,
        null,
        {},
      ]
      for (const id of [...ids, '01900000-0000-7000-8000-000000000000'] as string[]) {
        const run = store.run('some_workflow', id)
        await expectRefused('NOT_FOUND', [
          ['status', () => run.status()],
          ['result', () => run.result({ timeout: '5s' })],
          ['peek', () => run.peek()],
          ['steps', () => run.steps()],
          ['cancel', () => run.cancel()],
          ['resume', () => run.resume('approval')],
          ['message', () => messages.get(id)],
          ['archive', () => messages.archive(id)],
          ['cancel a message', () => messages.cancel(id)],
          ['dead letter', () => dead.get(id)],
          ['replay', () => dead.replay(id)],
          ['run', () => runs.get(id)],
          ['cancel a run', () => runs.cancel(id)],
          ['retry', () => runs.retry(id)],
          ['worker', () => workers.get(id)],
          ['suspend', () => workers.suspend(id)],
          ['resume a worker', () => workers.resume(id)],
          ['interrupt', () => workers.interrupt(id)],
          ['shutdown', () => workers.shutdown(id)],
        ])
      }
    })

    it('refuses a worker with nothing to do, with two handlers of a name, and with what is no handler', async () => {
      const store = await openWithoutDatabase(bench)
      const handler = queue.handler(nothing)
      const workflow = defineWorkflow('arguments', nothing)
      const nonsense = [
        null,
        undefined,
        5,
        'queue',
        queue,
        nothing,
        {},
        { kind: 'queue-handler2' },
      ] as never[]
      await expectRefused('INVALID_ARGUMENT', [
        ['nothing to do', () => store.worker([]), 'at least one'],
        ['two handlers of a queue', () => store.worker([handler, queue.handler(nothing)]), '"arguments"'],
        ['a handler and a workflow of one name', () => store.worker([handler, workflow]), '"arguments"'],
        ['the same workflow twice', () => store.worker([workflow, workflow]), '"arguments"'],
        ['no array', () => store.worker(handler as never), 'array'],
        ['no argument', () => store.worker(undefined as never), 'array'],
        ...nonsense.map((one): RefusedCall => [
          `a handler that is ${String(one)}`,
          () => store.worker([one]),
          'handler',
        ]),
      ])
    })

    it('starts a worker once, and not after it was stopped', async () => {
      const store = await bench.open()
      const worker = store.worker([queue.handler(nothing)])
      await worker.start()
      await expectRefused('INVALID_STATE', [['a second start', () => worker.start(), 'once']])
      await worker.stop()
      await worker.stop()
      await expectRefused('INVALID_STATE', [['a start after the stop', () => worker.start(), 'another']])
    })

    it('says that it is closed, whichever handle is used afterwards', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('closing', (run) => run.sleep('long', '1h'))
      const producer = store.producer<unknown>(queue)
      const consumer = store.consumer(queue)
      await producer.enqueueMany([1, 2, 3, 4, 5])
      const messages = await consumer.dequeue({ limit: 5 })
      const handle = await store.trigger(workflow)
      const worker = store.worker([workflow])
      await store.close()
      await store.close()
      const [first, second, third, fourth, fifth] = messages
      const { admin } = store
      const calls: RefusedCall[] = [
        ['enqueue', () => producer.enqueue(1)],
        ['enqueueMany', () => producer.enqueueMany([1])],
        ['producer', () => store.producer(queue)],
        ['consumer', () => store.consumer(queue)],
        ['worker', () => store.worker([workflow])],
        ['dequeue', () => consumer.dequeue()],
        ['archive', () => first?.archive()],
        ['delete', () => second?.delete()],
        ['release', () => third?.release()],
        ['extend', () => fourth?.extend('1m')],
        ['fail', () => fifth?.fail(new Error('x'))],
        ['archiveMany', () => consumer.archiveMany(messages)],
        ['trigger', () => store.trigger(workflow)],
        ['result', () => handle.result()],
        ['peek', () => handle.peek()],
        ['status', () => handle.status()],
        ['cancel', () => handle.cancel()],
        ['resume', () => handle.resume('x')],
        ['steps', () => handle.steps()],
        ['start', () => worker.start()],
        ['install', () => admin.install()],
        ['verify', () => admin.verify()],
        ['uninstall', () => admin.uninstall({ confirm: 'drop every table of pgqrs' })],
        ['metrics', () => admin.metrics()],
        ['stats', () => admin.stats()],
        ['queues', () => admin.queues.list()],
        ['create', () => admin.queues.create('q')],
        ['messages', () => admin.messages.list()],
        ['runs', () => admin.runs.list()],
        ['workers', () => admin.workers.list()],
        ['reclaim', () => admin.workers.reclaim()],
      ]
      await expectRefused('CLOSED', calls)
    })

    it('says that a producer or consumer alone is closed', async () => {
      const store = await bench.open()
      const producer = store.producer(queue, { name: 'closing' })
      const consumer = store.consumer(queue)
      await producer.close()
      await producer.close()
      await consumer.close()
      await consumer.close()
      expect(await errorOf('enqueue', () => producer.enqueue(1))).toBeInstanceOf(ClosedError)
      expect(await errorOf('dequeue', () => consumer.dequeue())).toBeInstanceOf(ClosedError)
      await store.producer(queue).enqueue(1)
    })
  })
}
