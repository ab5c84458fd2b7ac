import { defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import type { RefusedCall } from './untouched-database.js'

/** What is no duration. */
export const badDurations: readonly unknown[] = [
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
/** What is no count. */
export const badCounts: readonly unknown[] = [
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

const AN_ID = '01900000-0000-7000-8000-000000000000'
/** A handler and body that does nothing. */
export const nothing = (): Promise<void> => Promise.resolve()
/** The queue of these calls. */
export const queue = defineQueue('arguments')
const untriggered = defineWorkflow('w', nothing)

type OptionCall = readonly [name: string, call: (bad: never) => unknown]

/** Every bad value for every option. */
export function each(
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

/** A call for each option that takes a duration. */
export function durations(store: Store): OptionCall[] {
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

/** A call for each option that takes a count. */
export function counts(store: Store): OptionCall[] {
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

/** A call for each object of options, with a key nobody reads and the one it is nearest to. */
export function unknownOptions(store: Store): [what: string, call: () => unknown, nearest: string][] {
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

/** Everything else that cannot be right. */
export function otherNonsense(store: Store): RefusedCall[] {
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
    ['keep as a text', () => defineQueue('q', { keep: wrong('no') }), 'keep'],
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
    ['a cursor that is none', () => store.admin.messages.list({ cursor: 'nonsense' }), 'cursor'],
    ['no pause to resume', () => store.run('w', AN_ID).resume(''), 'step'],
    ['a pause with a line break', () => store.run('w', AN_ID).resume('a\nb'), 'step'],
    ['a pause that is no text', () => store.run('w', AN_ID).resume(wrong(undefined)), 'step'],
    ['an unknown status', () => store.admin.messages.list({ status: wrong('done') }), 'status'],
    ['uninstall without a word', () => store.admin.uninstall(wrong(undefined)), 'confirm'],
    ['uninstall with another word', () => store.admin.uninstall({ confirm: wrong('yes') }), 'confirm'],
  ]
}
