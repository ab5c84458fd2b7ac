import { z } from 'zod'
import { describe, expectTypeOf, it } from 'vitest'
import {
  connect,
  defineQueue,
  defineWorkflow,
  type Consumer,
  type LeasedMessage,
  type Producer,
  type QueueDefinition,
  type Resumed,
  type Run,
  type RunHandle,
  type Store,
  type TransactionAdapter,
  type WorkflowDefinition,
} from '../src/index.js'

interface PostgresTx {
  readonly postgres: true
}
interface SqliteTx {
  readonly sqlite: true
}
declare const store: Store<PostgresTx>
declare const untyped: Store
declare const own: PostgresTx
declare const other: SqliteTx
declare const adapted: TransactionAdapter

describe('a queue', () => {
  it('carries the type it is given', () => {
    const queue = defineQueue<{ n: number }>('numbers')
    expectTypeOf(queue).toEqualTypeOf<QueueDefinition<{ n: number }, { n: number }>>()
    const producer = store.producer(queue)
    expectTypeOf(producer).toEqualTypeOf<Producer<{ n: number }, PostgresTx | TransactionAdapter>>()
    expectTypeOf(producer.enqueue).parameter(0).toEqualTypeOf<{ n: number }>()
    expectTypeOf(producer.enqueueMany([{ n: 1 }])).toEqualTypeOf<Promise<string[]>>()
    expectTypeOf(producer.enqueueMany(new Set([{ n: 1 }]), { batch: 2 })).toEqualTypeOf<Promise<number>>()
    // @ts-expect-error what is no array is not enqueued all or none, and must say so
    void producer.enqueueMany(new Set([{ n: 1 }]))
    // @ts-expect-error a payload of another type
    void producer.enqueueMany(new Set([{ m: 1 }]), { batch: 2 })
    const stream = (async function* () {
      yield await Promise.resolve({ n: 1 })
    })()
    expectTypeOf(producer.enqueueMany(stream)).toEqualTypeOf<Promise<number>>()
    expectTypeOf(producer.enqueue).returns.resolves.toEqualTypeOf<string>()
    expectTypeOf(store.consumer(queue)).toEqualTypeOf<Consumer<{ n: number }>>()
    expectTypeOf(store.consumer(queue).dequeue).returns.resolves.toEqualTypeOf<
      LeasedMessage<{ n: number }>[]
    >()
  })

  it('takes what its schema takes, and hands out what its schema makes', () => {
    const queue = defineQueue('dates', {
      payload: z.object({ at: z.string().transform((text) => new Date(text)) }),
    })
    expectTypeOf(queue).toEqualTypeOf<QueueDefinition<{ at: string }, { at: Date }>>()
    expectTypeOf(store.producer(queue).enqueue).parameter(0).toEqualTypeOf<{ at: string }>()
    queue.handler((message) => {
      expectTypeOf(message.payload).toEqualTypeOf<{ at: Date }>()
      expectTypeOf(message.attempt).toEqualTypeOf<number>()
    })
    expectTypeOf(store.consumer(queue)).toEqualTypeOf<Consumer<{ at: Date }>>()
  })

  it('without a type takes anything and hands out nothing known', () => {
    const queue = defineQueue('anything')
    expectTypeOf(store.producer(queue).enqueue).parameter(0).toEqualTypeOf<unknown>()
    queue.handler((message) => {
      expectTypeOf(message.payload).toEqualTypeOf<unknown>()
    })
    expectTypeOf(store.producer<number>('by_name').enqueue).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(store.consumer<number>('by_name')).toEqualTypeOf<Consumer<number>>()
  })

  it('refuses a wrong payload', async () => {
    const queue = defineQueue<{ n: number }>('numbers')
    const checked = defineQueue('dates', {
      payload: z.object({ at: z.string().transform((text) => new Date(text)) }),
    })
    // @ts-expect-error a text is no number
    await store.producer(queue).enqueue({ n: '1' })
    // @ts-expect-error n is missing
    await store.producer(queue).enqueueMany([{ n: 1 }, {}])
    // @ts-expect-error what goes in is a text
    await store.producer(checked).enqueue({ at: new Date() })
    // @ts-expect-error a wrong option
    await store.producer(queue).enqueue({ n: 1 }, { dealy: 5 })
    // @ts-expect-error a wrong rule for conflicts
    await store.producer(queue).enqueue({ n: 1 }, { onConflict: 'overwrite' })
    // @ts-expect-error replace needs single messages, but is a MessageOptions; a wrong key is not
    await store.producer(queue).enqueueMany([{ n: 1 }], { each: () => ({ kee: 'x' }) })
  })
})

describe('a workflow', () => {
  it('has the types of its body', () => {
    const workflow = defineWorkflow('double', (_run, input: { n: number }) => Promise.resolve(input.n * 2))
    expectTypeOf(workflow).toExtend<WorkflowDefinition<{ n: number }, number>>()
    expectTypeOf(store.trigger(workflow, { n: 1 })).resolves.toEqualTypeOf<RunHandle<number>>()
    expectTypeOf(store.run(workflow, 'id')).toEqualTypeOf<RunHandle<number>>()
    expectTypeOf<RunHandle<number>['result']>().returns.resolves.toEqualTypeOf<number>()
    expectTypeOf<RunHandle<number>['peek']>().returns.resolves.toEqualTypeOf<
      { readonly output: number } | undefined
    >()
    expectTypeOf(store.run('double', 'id')).toEqualTypeOf<RunHandle>()
  })

  it('returns what a synchronous or an asynchronous body returns', () => {
    const sync = defineWorkflow('sync', () => 'text' as const)
    const nothing = defineWorkflow('nothing', async (run) => {
      await run.sleep('a while', '1h')
    })
    expectTypeOf(store.run(sync, 'id').result()).resolves.toEqualTypeOf<'text'>()
    expectTypeOf(store.run(nothing, 'id').result()).resolves.toBeVoid()
  })

  it('takes what its schema takes, and hands its body what the schema makes', () => {
    const input = z.object({ n: z.string().transform(Number), tag: z.string().default('none') })
    const workflow = defineWorkflow('parsed', { input }, (_run, parsed) => {
      expectTypeOf(parsed).toEqualTypeOf<{ n: number; tag: string }>()
      return Promise.resolve(parsed.tag)
    })
    expectTypeOf(store.trigger(workflow, { n: '1' })).resolves.toEqualTypeOf<RunHandle<string>>()
    expectTypeOf(store.trigger(workflow, { n: '1', tag: 'x' })).resolves.toEqualTypeOf<RunHandle<string>>()
  })

  it('refuses a wrong input, and needs none when its body takes none', async () => {
    const double = defineWorkflow('double', (_run, input: { n: number }) => Promise.resolve(input.n * 2))
    const alone = defineWorkflow('alone', () => Promise.resolve(1))
    const perhaps = defineWorkflow('perhaps', (_run, input?: { n: number }) => Promise.resolve(input?.n))
    await store.trigger(alone)
    await store.trigger(alone, undefined, { key: 'k' })
    await store.trigger(perhaps)
    await store.trigger(perhaps, { n: 1 })
    // @ts-expect-error n is a number
    await store.trigger(double, { n: '1' })
    // @ts-expect-error there must be an input
    await store.trigger(double)
    // @ts-expect-error runs know no onConflict
    await store.trigger(double, { n: 1 }, { onConflict: 'ignore' })
  })
})

describe('a run', () => {
  it('gives each boundary the type of its body', () => {
    defineWorkflow('typed', async (run) => {
      expectTypeOf(run.step('a', () => 5)).resolves.toEqualTypeOf<number>()
      expectTypeOf(run.step('b', { timeout: '1m' }, async () => 'x')).resolves.toEqualTypeOf<string>()
      expectTypeOf(
        run.step('c', ({ signal, attempt, idempotencyKey }) => [signal, attempt, idempotencyKey] as const),
      ).resolves.toEqualTypeOf<readonly [AbortSignal, number, string]>()
      expectTypeOf(
        run.map('d', [1, 2], (item, inner) => inner.step('e', () => `${item}`)),
      ).resolves.toEqualTypeOf<string[]>()
      expectTypeOf(run.pause<{ ok: boolean }>('f')).resolves.toEqualTypeOf<Resumed<{ ok: boolean }>>()
      const resumed = await run.pause<number>('g', { timeout: '1d' })
      if (resumed.resumed) expectTypeOf(resumed.value).toEqualTypeOf<number>()
      // @ts-expect-error a pause that was not resumed has no value
      else expectTypeOf(resumed.value)
      // @ts-expect-error a body is needed
      await run.step('h')
    })
  })

  it('gives a transaction the type its workflow names', () => {
    defineWorkflow('tx', async (run: Run<PostgresTx>) => {
      await run.transaction('a', (tx) => {
        expectTypeOf(tx).toEqualTypeOf<PostgresTx>()
      })
      expectTypeOf(run.transaction('b', { timeout: '5s' }, () => 5)).resolves.toEqualTypeOf<number>()
    })
  })
})

describe('a worker', () => {
  const handler = defineQueue<number>('numbers').handler(() => undefined)
  const any = defineWorkflow('any', (run) => run.step('a', () => 1))
  const postgres = defineWorkflow('postgres', (run: Run<PostgresTx>, n: number) =>
    run.transaction('a', (tx) => `${n} ${tx.postgres}`),
  )
  const sqlite = defineWorkflow('sqlite', (run: Run<SqliteTx>) => run.transaction('a', (tx) => tx.sqlite))

  it('takes workflows that need no transaction, and those of its own store', () => {
    store.worker([handler, any, postgres], { concurrency: 5 })
  })

  it('refuses a workflow that needs the transaction of another database', () => {
    // @ts-expect-error the body wants the transaction of SQLite
    store.worker([handler, sqlite])
    // @ts-expect-error a store that was connected through core alone knows no transaction
    untyped.worker([postgres])
    // @ts-expect-error a queue is no handler
    store.worker([defineQueue('q')])
  })
})

describe('a transaction of the caller’s', () => {
  const producer = store.producer(defineQueue<number>('numbers'))

  it('is one of the driver or an adapter', async () => {
    await producer.enqueue(1, { tx: own })
    await producer.enqueueMany([1], { tx: adapted })
    // @ts-expect-error it belongs to another database
    await producer.enqueue(1, { tx: other })
    // @ts-expect-error it belongs to another database
    await producer.enqueueMany([1], { tx: other })
  })
})

describe('connect', () => {
  it('takes a DSN, options, or nothing', () => {
    expectTypeOf(connect).toBeCallableWith('sqlite:app.db')
    expectTypeOf(connect).toBeCallableWith({ dsn: ':memory:', lease: '1m', config: 'other.yaml' })
    expectTypeOf(connect).toBeCallableWith()
    // @ts-expect-error no such option
    void connect({ dns: 'sqlite:app.db' })
  })
})
