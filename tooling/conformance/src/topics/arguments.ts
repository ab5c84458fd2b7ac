import { describe, expect, it } from 'vitest'
import { ClosedError, defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'
import { errorOf, expectRefused, openWithoutDatabase, type RefusedCall } from '../untouched-database.js'

const badDurations: readonly unknown[] = [
  ...[
    -1,
    Number.NaN,
    Infinity,
    -Infinity,
    1e18,
    '5 parsecs',
    '30',
    '',
    ' ',
    '-5s',
    'NaNms',
    '1e3s',
    '9'.repeat(50_000),
  ],
  ...[{}, [], true, 5n, new Date(), () => 1, Symbol('5s'), Object.create(null)],
]
const badCounts: readonly unknown[] = [
  -1,
  1.5,
  Number.NaN,
  Infinity,
  '5',
  2 ** 31,
  {},
  true,
  5n,
  Object.create(null),
]

const nothing = (): Promise<void> => Promise.resolve()
const queue = defineQueue('arguments')
const untriggered = defineWorkflow('w', nothing)

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

type OptionCall = readonly [name: string, call: (bad: never) => unknown]

function each(
  bad: readonly unknown[],
  calls: readonly (readonly [string, (bad: never) => unknown])[],
): RefusedCall[] {
  return calls.flatMap(([name, call]) =>
    bad.map((value): RefusedCall => [`${name} ${shown(value)}`, () => call(value as never), name]),
  )
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? 'object'
    : `${typeof value} ${String(value).slice(0, 20)}`
}

function durations(store: Store): OptionCall[] {
  const producer = store.producer(queue)
  const handler = queue.handler(nothing)
  return [
    ['delay', (delay) => producer.enqueue(1, { delay: delay })],
    ['delay', (delay) => producer.enqueueMany([1], { each: { delay: delay } })],
    ['delay', (delay) => store.trigger(untriggered, undefined, { delay: delay })],
    ['lease', (lease) => defineQueue('q', { lease })],
    ['timeout', (timeout) => defineQueue('q', { timeout })],
    ['retry.delay', (delay) => queue.handler(nothing, { retry: { delay: delay } })],
    ['retry.maxDelay', (maxDelay) => queue.handler(nothing, { retry: { maxDelay: maxDelay } })],
    ['retry.delay', (delay) => defineWorkflow('w', { stepRetry: { delay: delay } }, nothing)],
    ['lease', (lease) => store.consumer(queue).dequeue({ lease })],
    ['grace', (grace) => store.worker([handler]).stop({ grace: grace })],
    ['retention.archived', (archived) => store.worker([handler], { retention: { archived } })],
    ['retention.dead', (dead) => store.worker([handler], { retention: { dead } })],
    ['staleAfter', (staleAfter) => store.admin.workers.list({ staleAfter })],
    ['silentFor', (silentFor) => store.admin.workers.reclaim({ silentFor })],
    ['olderThan', (olderThan) => store.admin.workers.purge(olderThan)],
  ]
}

function counts(store: Store): OptionCall[] {
  const handler = queue.handler(nothing)
  return [
    ['maxCrashes', (maxCrashes) => defineQueue('q', { maxCrashes })],
    ['retry.maxAttempts', (n) => queue.handler(nothing, { retry: { maxAttempts: n } })],
    ['limits.maxBytes', (n) => defineQueue('q', { limits: { maxBytes: n } })],
    ['limits.maxDepth', (n) => defineQueue('q', { limits: { maxDepth: n } })],
    ['limits.maxStringLength', (maxStringLength) => defineQueue('q', { limits: { maxStringLength } })],
    ['rateLimit.burst', (n) => store.producer(queue, { rateLimit: { perSecond: 1, burst: n } })],
    ['limit', (n) => store.consumer(queue).dequeue({ limit: n })],
    ['concurrency', (n) => store.worker([handler], { concurrency: n })],
    ['limit', (n) => store.admin.messages.list({ limit: n })],
    ['limit', (n) => store.admin.messages.list({ limit: n })],
  ]
}

function unknownOptions(store: Store): [what: string, call: () => unknown, nearest: string][] {
  const wrong = (options: object): never => options as never
  const handler = queue.handler(nothing)
  const { admin } = store
  return [
    ['producer', () => store.producer(queue, wrong({ rateLimits: {} })), 'rateLimit'],
    ['rateLimit', () => store.producer(queue, { rateLimit: wrong({ perSecond: 1, bursts: 1 }) }), 'burst'],
    ['enqueue', () => store.producer(queue).enqueue(1, wrong({ dealy: 5 })), 'delay'],
    ['enqueueMany', () => store.producer(queue).enqueueMany([1], wrong({ eech: {} })), 'each'],
    ['enqueueMany each', () => store.producer(queue).enqueueMany([1], { each: wrong({ kee: 'x' }) }), 'key'],
    ['consumer', () => store.consumer(queue, wrong({ nam: 'x' })), 'name'],
    ['dequeue', () => store.consumer(queue).dequeue(wrong({ lmit: 5 })), 'limit'],
    ['defineQueue', () => defineQueue('q', wrong({ payloads: {} })), 'payload'],
    ['limits', () => defineQueue('q', { limits: wrong({ maxByte: 5 }) }), 'maxBytes'],
    ['handler', () => queue.handler(nothing, wrong({ timeOut: 5 })), 'timeout'],
    ['retry', () => queue.handler(nothing, { retry: wrong({ maxAttempt: 5 }) }), 'maxAttempts'],
    ['defineWorkflow', () => defineWorkflow('w', wrong({ stepRetries: {} }), nothing), 'stepRetry'],
    ['trigger', () => store.trigger(untriggered, undefined, wrong({ keys: 'x' })), 'key'],
    ['worker', () => store.worker([handler], wrong({ concurency: 5 })), 'concurrency'],
    ['retention', () => store.worker([handler], { retention: wrong({ archive: 5 }) }), 'archived'],
    ['stop', () => store.worker([handler]).stop(wrong({ graze: 5 })), 'grace'],
    ['result', () => store.run('w', 'id').result(wrong({ timout: 5 })), 'timeout'],
    ['messages', () => admin.messages.list(wrong({ statuz: 'queued' })), 'status'],
    ['runs', () => admin.runs.list(wrong({ workflows: 'w' })), 'workflow'],
    ['workers', () => admin.workers.list(wrong({ staleAftre: 5 })), 'staleAfter'],
    ['shutdown', () => admin.workers.shutdown('id', wrong({ realease: true })), 'release'],
    ['reclaim', () => admin.workers.reclaim(wrong({ silentfor: 5 })), 'silentFor'],
    ['delete', () => admin.queues.delete('q', wrong({ forced: true })), 'force'],
    ['purge', () => admin.queues.purge('q', 'all', wrong({ onprogress: nothing })), 'onProgress'],
  ]
}

function otherNonsense(store: Store): RefusedCall[] {
  const producer = store.producer<unknown>(queue)
  const handler = queue.handler(nothing)
  const wrong = (value: unknown): never => value as never
  return [
    ['no queue', () => store.producer(wrong(undefined)), 'queue'],
    ['a workflow for a queue', () => store.producer(wrong(defineWorkflow('w', nothing))), 'queue'],
    ['a number for a queue', () => store.consumer(wrong(5)), 'queue'],
    ['no workflow', () => store.trigger(wrong(undefined)), 'workflow'],
    ['a queue for a workflow', () => store.trigger(wrong(queue)), 'workflow'],
    ['no workflow for a run', () => store.run(wrong(undefined), 'id'), 'workflow'],
    ['no payloads', () => producer.enqueueMany(wrong(undefined)), 'array'],
    ['a text for payloads', () => producer.enqueueMany(wrong('abc')), 'array'],
    ['a time that is no Date', () => producer.enqueue(1, { at: wrong('2030-01-01') }), 'at'],
    ['an invalid Date', () => producer.enqueue(1, { at: new Date(Number.NaN) }), 'at'],
    ['a Date before 1970', () => producer.enqueue(1, { at: new Date(-1) }), 'at'],
    ['a Date after 9999', () => producer.enqueue(1, { at: new Date(8.64e15) }), 'at'],
    ['delay and at', () => producer.enqueue(1, { at: new Date(), delay: 5 }), 'delay'],
    ['a fraction for a priority', () => producer.enqueue(1, { priority: 0.5 }), 'priority'],
    ['a priority out of range', () => producer.enqueue(1, { priority: 2 ** 31 }), 'priority'],
    ['an id that is none', () => producer.enqueue(1, { id: 'abc' }), 'id'],
    ['an id in capitals', () => producer.enqueue(1, { id: '0190A0A0-0000-7000-8000-000000000000' }), 'id'],
    ['an unknown onConflict', () => producer.enqueue(1, { onConflict: wrong('overwrite') }), 'onConflict'],
    [
      'replace in a batch',
      () => producer.enqueueMany([1], { each: { key: 'k', onConflict: 'replace' } }),
      'replace',
    ],
    ['a transaction that is none', () => producer.enqueue(1, { tx: wrong({}) }), 'tx'],
    ['null for a transaction', () => producer.enqueue(1, { tx: wrong(null) }), 'tx'],
    ['no rate', () => store.producer(queue, { rateLimit: wrong({}) }), 'rateLimit.perSecond'],
    ['a rate of zero', () => store.producer(queue, { rateLimit: { perSecond: 0 } }), 'rateLimit.perSecond'],
    [
      'a rate that is NaN',
      () => store.producer(queue, { rateLimit: { perSecond: Number.NaN } }),
      'rateLimit.perSecond',
    ],
    [
      'a text for a rate',
      () => store.producer(queue, { rateLimit: { perSecond: wrong('5') } }),
      'rateLimit.perSecond',
    ],
    ['a schema that is none', () => defineQueue('q', { payload: wrong({}) }), 'Standard Schema'],
    ['null for a schema', () => defineQueue('q', { payload: wrong(null) }), 'Standard Schema'],
    [
      'a text for forbidden keys',
      () => defineQueue('q', { limits: { forbiddenKeys: wrong('secret') } }),
      'forbiddenKeys',
    ],
    [
      'numbers for required keys',
      () => defineQueue('q', { limits: { requiredKeys: wrong([5]) } }),
      'requiredKeys',
    ],
    ['a lease no heartbeat could keep', () => defineQueue('q', { lease: 99 }), 'lease'],
    ['a timeout of nothing', () => defineQueue('q', { timeout: 0 }), 'timeout'],
    ['an unknown backoff', () => defineQueue('q', { retry: { backoff: wrong('linear') } }), 'backoff'],
    ['no function to ask', () => defineQueue('q', { retry: { shouldRetry: wrong(true) } }), 'shouldRetry'],
    ['no handler', () => queue.handler(wrong(undefined)), 'handler'],
    ['no body', () => defineWorkflow('w', wrong(undefined)), 'body'],
    ['no body after options', () => defineWorkflow('w', {}, wrong(undefined)), 'body'],
    [
      'error classes that are texts',
      () => defineWorkflow('w', { errors: wrong(['MyError']) }, nothing),
      'errors',
    ],
    ['a listener that is none', () => store.worker([handler], { onEvent: wrong({}) }), 'onEvent'],
    [
      'more at once than a worker can',
      () => store.worker([handler], { concurrency: 1_000_000 }),
      'concurrency',
    ],
    ['an unknown kind of purge', () => store.admin.queues.purge('q', wrong('everything')), 'purge'],
    ['an unknown status', () => store.admin.messages.list({ status: wrong('done') }), 'status'],
    ['uninstall without a word', () => store.admin.uninstall(wrong(undefined)), 'confirm'],
    ['uninstall with another word', () => store.admin.uninstall({ confirm: wrong('yes') }), 'confirm'],
  ]
}
