import { describe, expect, it } from 'vitest'
import { ClosedError, defineQueue, defineWorkflow } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { startChild } from '../children/start.js'
import { Gate } from '../gate.js'
import type { Target } from '../target.js'

/** What a store takes it gives back when it is closed. */
export function resources(target: Target): void {
  describe('close', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('parcels')
    const flow = defineWorkflow('flow', (_, n: number) => n)

    it('lets the process end by itself', async ({ skip }) => {
      skip(!target.capabilities.shared, 'the database is out of the reach of other processes')
      const child = await startChild('closing-worker', target, bench.db)
      await child.waitFor('closed', 20_000)
      expect(await child.exited).toEqual({ code: 0, signal: null })
      const store = await bench.open()
      expect(await store.admin.metrics('last-words')).toMatchObject({ archived: 1, delayed: 1, leased: 0 })
    })

    it('makes every later use of every handle a ClosedError', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      const id = await producer.enqueue(1)
      const hands = store.consumer(queue)
      const [message] = await hands.dequeue()
      const handle = await store.trigger(flow, 1)
      const worker = store.worker([flow])
      const { admin } = store
      await store.close()
      const uses: Record<string, () => unknown> = {
        'producer()': () => store.producer(queue),
        'consumer()': () => store.consumer(queue),
        'worker()': () => store.worker([flow]),
        'trigger()': () => store.trigger(flow, 1),
        enqueue: () => producer.enqueue(2),
        enqueueMany: () => producer.enqueueMany([2]),
        dequeue: () => hands.dequeue(),
        archive: () => message?.archive(),
        extend: () => message?.extend('1m'),
        release: () => message?.release(),
        delete: () => message?.delete(),
        fail: () => message?.fail(new Error('no')),
        result: () => handle.result(),
        status: () => handle.status(),
        cancel: () => handle.cancel(),
        resume: () => handle.resume('p'),
        'run().status': () => store.run(flow, id).status(),
        install: () => admin.install(),
        verify: () => admin.verify(),
        'admin.metrics': () => admin.metrics(),
        'admin.stats': () => admin.stats(),
        'admin.queues.list': () => admin.queues.list(),
        'admin.queues.create': () => admin.queues.create('q'),
        'admin.queues.purge': () => admin.queues.purge('parcels', 'all'),
        'admin.messages.get': () => admin.messages.get(id),
        'admin.messages.list': () => admin.messages.list(),
        'admin.dead.replay': () => admin.dead.replay(id),
        'admin.runs.list': () => admin.runs.list(),
        'admin.workers.list': () => admin.workers.list(),
      }
      for (const [name, use] of Object.entries(uses)) {
        await expect(Promise.resolve().then(use), name).rejects.toThrow(ClosedError)
      }
      await expect(worker.start()).rejects.toMatchObject({
        name: expect.stringMatching(/ClosedError|InvalidStateError/),
      })
    })

    it('may be called again and at the same time, each call resolving when all is closed', async () => {
      const store = await bench.open()
      const worker = store.worker([queue.handler(() => undefined)])
      await worker.start()
      const stopped = Promise.all([store.close(), store.close()])
      await stopped
      expect(worker.status).toBe('stopped')
      await store.close()
      await store[Symbol.asyncDispose]()
    })

    it('lets calls in flight finish', async () => {
      const other = await bench.open()
      const store = await bench.open()
      const producer = store.producer(queue)
      // Nothing was called before: these have the tables to check and the queue to make known first.
      const calls = [
        ...Array.from({ length: 50 }, (_, n) => producer.enqueue(n)),
        producer.enqueueMany([50, 51]).then((ids) => ids[0]!),
        store.trigger(flow, 1).then((handle) => handle.id),
      ]
      await store.close()
      const ids = await Promise.all(calls)
      expect(await other.admin.metrics('parcels')).toMatchObject({ ready: 52 })
      expect(await other.run(flow, ids.at(-1)!).status()).toBe('queued')
    })

    it('lets the ends of holds in flight finish', async () => {
      const other = await bench.open()
      const store = await bench.open()
      await store.producer(queue).enqueueMany([1, 2, 3, 4])
      const hands = store.consumer(queue)
      const [first, second, ...rest] = await hands.dequeue()
      const ends = [first!.archive('kept'), second!.release(), hands.archiveMany(rest)]
      await store.close()
      await Promise.all(ends)
      expect(await other.admin.metrics('parcels')).toMatchObject({ archived: 3, ready: 1, leased: 0 })
    })

    it('stops workers and marks everybody as stopped', async () => {
      const other = await bench.open()
      const store = await bench.open()
      const gate = new Gate()
      const worker = store.worker([queue.handler(() => gate.passed)])
      await worker.start()
      await store.consumer('another').dequeue()
      store.producer(queue, { name: 'named' })
      await store.producer(queue).enqueue(1)
      await eventually('it to run', () => worker.active === 1)
      const closed = store.close()
      gate.open()
      await closed
      expect(await worker.stopped).toBe('stopped')
      expect(await other.admin.metrics('parcels')).toMatchObject({ archived: 1 })
      const listed = await other.admin.workers.list()
      expect(listed.map(({ name, status }) => [name, status]).sort()).toEqual([
        ['consumer-of-another', 'stopped'],
        ['named', 'stopped'],
        ['worker', 'stopped'],
      ])
    })

    it('leaves the application’s own client open, and others’ stores', async () => {
      const other = await bench.open()
      const store = await bench.open()
      await store.producer(queue).enqueue(1)
      await store.close()
      expect(await bench.db.query('select name from effects')).toEqual([])
      expect(await other.consumer(queue).dequeue()).toHaveLength(1)
    })

    it('comes with the end of an `await using` block', async () => {
      const producer = await (async () => {
        await using store = await bench.open()
        const mine = store.producer(queue)
        await mine.enqueue(1)
        return mine
      })()
      await expect(producer.enqueue(2)).rejects.toThrow(ClosedError)
    })

    it('closes a named producer and a consumer alone, too', async () => {
      const store = await bench.open()
      const producer = store.producer(queue, { name: 'named' })
      const hands = store.consumer(queue)
      await producer.close()
      await hands.close()
      await expect(producer.enqueue(1)).rejects.toThrow(ClosedError)
      await expect(hands.dequeue()).rejects.toThrow(ClosedError)
      await store.producer(queue).enqueue(1)
      expect(await store.consumer(queue).dequeue()).toHaveLength(1)
    })
  })
}
