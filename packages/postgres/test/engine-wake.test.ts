import { HintOnlyClock } from '@pgqrs/conformance'
import { defineQueue, type Store, type WorkerEvent } from '@pgqrs/core'
import { eventually, startProxy, type TcpProxy } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { parametersOfDsn } from '../src/parameters.js'
import { client, database, hastyClock } from './database.js'
import { open, openOver } from './stores.js'

interface Listener {
  /** Whether hints arrived, each time that became known. */
  readonly hints: boolean[]
  readonly seen: number[]
}

const queue = defineQueue<number>('calls')

async function listener(store: Store, of = queue): Promise<Listener> {
  const hints: boolean[] = []
  const seen: number[] = []
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'hints') hints.push(event.arrive)
  }
  await store.worker([of.handler(({ payload }) => void seen.push(payload))], { onEvent }).start()
  return { hints, seen }
}

/** Gives a message to a worker that only a hint can wake. */
async function reach(worker: Listener, clock: HintOnlyClock, from: Store, n: number): Promise<void> {
  await eventually('the worker to sleep', () => clock.asleep)
  await from.producer(queue).enqueue(n)
  await eventually(`message ${n}`, () => worker.seen.includes(n))
}

async function proxyTo(dsn: string): Promise<TcpProxy> {
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  return proxy
}

it('delivers by polling while the LISTEN connection is cut, and hints come back', async () => {
  const dsn = await database()
  const proxy = await proxyTo(dsn)
  const listenDsn = proxy.dsn
  const other = await open(dsn, { listen: false })
  await other.admin.install()
  const clock = new HintOnlyClock()
  const hinted = await listener(await open(dsn, { listenDsn, clock, pollInterval: '1h' }))
  await reach(hinted, clock, other, 1)

  const polled = defineQueue<number>('polled')
  const polling = await listener(await open(dsn, { listenDsn }), polled)
  expect([hinted.hints, polling.hints]).toEqual([[true], [true]])
  proxy.refuse()
  proxy.cutAll()
  await eventually(
    'the workers to know',
    () => hinted.hints.at(-1) === false && polling.hints.at(-1) === false,
  )
  await other.producer(polled).enqueue(2)
  await eventually('the poll', () => polling.seen.includes(2))
  await other.producer(queue).enqueue(3)

  await proxy.heal()
  // Nobody told of it while nobody listened: that listening has begun again is a hint by itself.
  await eventually('what was missed', () => hinted.seen.includes(3), { timeoutMs: 20_000 })
  await eventually('the workers to know', () => hinted.hints.at(-1) === true && polling.hints.at(-1) === true)
  expect([hinted.hints, polling.hints]).toEqual([
    [true, false, true],
    [true, false, true],
  ])
  await reach(hinted, clock, other, 4)
})

it('delivers by polling while the LISTEN connection is dead without a word, and hints come back', async () => {
  const dsn = await database()
  const proxy = await proxyTo(dsn)
  const settings = {
    listen: parametersOfDsn(proxy.dsn, true),
    // Looks more often whether messages still arrive than every 30 s.
    clock: hastyClock((ms, background) => (background ? Math.min(ms, 100) : ms)),
  }
  const other = await open(dsn, { listen: false })
  await other.admin.install()
  const clock = new HintOnlyClock()
  const hinted = await listener(await openOver(dsn, settings, { clock, pollInterval: '1h' }))
  await reach(hinted, clock, other, 1)

  const polled = defineQueue<number>('polled')
  const polling = await listener(await openOver(dsn, settings), polled)
  proxy.halfOpen()
  // Whether or not it is known yet that nothing arrives any more.
  await other.producer(polled).enqueue(2)
  await eventually('the poll', () => polling.seen.includes(2))
  await eventually('the worker to know', () => hinted.hints.at(-1) === false)
  await other.producer(polled).enqueue(3)
  await eventually('the poll', () => polling.seen.includes(3))

  await proxy.heal()
  await eventually('hints to arrive', () => hinted.hints.at(-1) === true, { timeoutMs: 20_000 })
  await reach(hinted, clock, other, 4)
})

it('wakes each other, the store that names the schema and the one that finds it in its search path', async () => {
  const dsn = await database()
  await client(dsn)`create schema app`
  const clocks = [new HintOnlyClock(), new HintOnlyClock()] as const
  const naming = await open(dsn, { schema: 'app', clock: clocks[0], pollInterval: '1h' })
  const finding = await open(`${dsn}?search_path=app`, { clock: clocks[1], pollInterval: '1h' })
  await naming.admin.install()
  expect(await finding.admin.verify()).toMatchObject({ ok: true })

  const first = await listener(naming)
  await reach(first, clocks[0], finding, 1)
  const replies = defineQueue<number>('replies')
  const second = await listener(finding, replies)
  await eventually('the worker to sleep', () => clocks[1].asleep)
  await naming.producer(replies).enqueue(2)
  await eventually('the reply', () => second.seen.includes(2))
})
