import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, type QueueMetrics, type Store } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

const none = { ready: 0, delayed: 0, leased: 0, paused: 0, archived: 0, dead: 0 }

/** Counts: each message is in exactly one of them, whatever happens to it. */
export function metrics(target: Target): void {
  describe('metrics', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('counted')

    const sum = (m: QueueMetrics): number => m.ready + m.delayed + m.leased + m.paused + m.archived + m.dead

    it('follow a message through everything that can happen to it', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const now = async (): Promise<QueueMetrics> => store.admin.metrics('counted')
      await store.admin.queues.create('counted')
      expect(await now()).toEqual({
        queue: 'counted',
        kind: 'queue',
        isPaused: false,
        ...none,
        oldestReadyMs: undefined,
      })
      const id = await store.producer(queue).enqueue(1, { delay: '1m' })
      expect(await now()).toMatchObject({ ...none, delayed: 1, oldestReadyMs: undefined })
      await clock.advance(61_500)
      expect(await now()).toMatchObject({ ...none, ready: 1, oldestReadyMs: 1500 })
      const hands = store.consumer(queue)
      const [message] = await hands.dequeue({ lease: '10s' })
      expect(await now()).toMatchObject({ ...none, leased: 1, oldestReadyMs: undefined })
      await message?.release({ delay: '1s' })
      expect(await now()).toMatchObject({ ...none, delayed: 1 })
      await clock.advance(1000)
      await hands.dequeue({ lease: '10s' })
      await clock.advance(12_000)
      // The lease has lapsed: it is due again.
      expect(await now()).toMatchObject({ ...none, ready: 1, oldestReadyMs: 2000 })
      const [third] = await hands.dequeue()
      await third?.fail(new Error('no'))
      expect(await now()).toMatchObject({ ...none, dead: 1 })
      await store.admin.dead.replay(id)
      expect(await now()).toMatchObject({ ...none, ready: 1, oldestReadyMs: 0 })
      const [fourth] = await hands.dequeue()
      await store.admin.messages.cancel(id)
      expect(await now()).toMatchObject({ ...none, leased: 1 })
      await fourth?.archive()
      expect(await now()).toMatchObject({ ...none, archived: 1 })
      await store.admin.queues.purge('counted', 'archived')
      expect(await now()).toMatchObject(none)
    })

    it('count a run that waits as paused', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('waiting', async (run, _: number) => {
        await run.sleep('long', '1h')
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow, 1)
      await eventually('the run to wait', async () => (await handle.status()) === 'paused')
      expect(await store.admin.metrics('waiting')).toMatchObject({ ...none, kind: 'workflow', paused: 1 })
      await handle.cancel()
      expect(await store.admin.metrics('waiting')).toMatchObject({ ...none, archived: 1 })
    })

    it('stay right when an application archives by hand, deletes, and cancels', async () => {
      const store = await bench.open()
      const hands = store.consumer(queue)
      const ids = await store.producer(queue).enqueueMany([1, 2, 3, 4])
      await store.admin.messages.archive(ids[0]!)
      await store.admin.messages.cancel(ids[1]!)
      const [third] = await hands.dequeue({ limit: 1 })
      await third?.delete()
      expect(await store.admin.metrics('counted')).toMatchObject({ ...none, archived: 2, ready: 1 })
    })

    it('conserve messages through a mix of everything, from two stores', async () => {
      const stores = [await bench.open(), await bench.open()]
      let enqueued = 0
      let removed = 0
      for (let round = 0; round < 6; round++) {
        const [one, other] = round % 2 === 0 ? stores : stores.toReversed()
        if (one === undefined || other === undefined) throw new Error('two stores')
        await one.producer(queue).enqueueMany(Array.from({ length: 40 }, (_, n) => n))
        await one.producer(queue).enqueue(41, { delay: '1h' })
        enqueued += 41
        const hands = other.consumer(queue)
        const messages = await hands.dequeue({ limit: 30 })
        await Promise.all([
          hands.archiveMany(messages.slice(0, 10)),
          hands.failMany(messages.slice(10, 18), new Error('no')),
          hands.releaseMany(messages.slice(18, 22), { delay: '1m' }),
          hands.deleteMany(messages.slice(22, 24)),
          one.admin.messages.cancel(messages[25]!.id),
        ])
        removed += 2
        if (round === 2) removed += await one.admin.queues.purge('counted', 'archived')
        if (round === 3) expect(await other.admin.dead.replayAll('counted')).toBe(32)
        if (round === 4) removed += await other.admin.queues.purge('counted', 'waiting')
        expect(sum(await other.admin.metrics('counted')), `round ${round}`).toBe(enqueued - removed)
      }
      const { archived, dead } = await stores[0]!.admin.metrics('counted')
      const counts = await bench.db.query(
        'select status, count(*) as n from pgqrs_messages where finished_at is not null group by status',
      )
      const n = (status: string): number => Number(counts.find((row) => row['status'] === status)?.['n'] ?? 0)
      expect({ archived, dead }).toEqual({ archived: n('success') + n('cancelled'), dead: n('error') })
    })

    it('are given for all queues at once, and summed up for the system', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const second = defineQueue<number>('second')
      await store.producer(queue).enqueueMany([1, 2])
      await store.producer(second).enqueueMany([1, 2, 3])
      await store.trigger(
        defineWorkflow('flow', (_, n: number) => n),
        1,
      )
      const [message] = await store.consumer(second).dequeue({ limit: 1 })
      await message?.archive()
      await store.consumer(second).dequeue({ limit: 1 })
      const all = await store.admin.metrics()
      expect(all.map(({ queue: name, ready, leased, archived }) => [name, ready, leased, archived])).toEqual([
        ['counted', 2, 0, 0],
        ['flow', 1, 0, 0],
        ['second', 1, 1, 1],
      ])
      expect(await store.admin.stats()).toMatchObject({
        ...none,
        schemaVersion: 1,
        queues: 2,
        workflows: 1,
        ready: 4,
        leased: 1,
        archived: 1,
        workers: { total: 2, healthy: 2, held: 1 },
      })
    })

    it('stay right through retention', async () => {
      const clock = new TestClock()
      const store: Store = await bench.open({ clock })
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany([1, 2, 3, 4, 5])
      const messages = await hands.dequeue()
      await hands.archiveMany(messages.slice(0, 2))
      await hands.failMany(messages.slice(2, 4), new Error('no'))
      await hands.close()
      await clock.advance(60_000)
      const worker = store.worker([queue.handler(() => undefined)], {
        retention: { archived: '30s', dead: '1h' },
      })
      await worker.start()
      await passTime(
        clock,
        'the archived to go',
        async () => (await store.admin.metrics('counted')).archived < 2,
      )
      expect(await store.admin.metrics('counted')).toMatchObject({ dead: 2 })
    })
  })
}
