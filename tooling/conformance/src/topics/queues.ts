import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, InvalidStateError, NotFoundError, type Store } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Queues as a whole: made, listed, paused, purged, deleted. */
export function queues(target: Target): void {
  describe('queues', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('parcels')

    /** Two waiting, one delayed, one held, two archived, one cancelled, one dead. */
    async function oneOfEach(store: Store): Promise<{ held: string }> {
      const producer = store.producer(queue)
      const hands = store.consumer(queue)
      await producer.enqueueMany([1, 2, 3, 4])
      const [first, second, third, held] = await hands.dequeue({ limit: 4 })
      await hands.archiveMany([first!, second!])
      await third!.fail(new Error('no'))
      await store.admin.messages.cancel(await producer.enqueue(5))
      await producer.enqueueMany([6, 7])
      await producer.enqueue(8, { delay: '1h' })
      return { held: held!.id }
    }

    it('come into being with their first producer, consumer, worker or trigger, or by hand', async () => {
      const store = await bench.open()
      expect(await store.admin.queues.list()).toEqual([])
      await store.admin.queues.create('by-hand')
      await store.admin.queues.create('by-hand')
      await store.producer('by-producer').enqueue(1)
      await store.consumer('by-consumer').dequeue()
      await store.worker([defineQueue('by-worker').handler(() => undefined)]).start()
      await store.trigger(
        defineWorkflow('by-trigger', (_, input: number) => input),
        1,
      )
      const listed = await store.admin.queues.list()
      expect(listed.map(({ name, kind, pausedAt }) => [name, kind, pausedAt])).toEqual([
        ['by-consumer', 'queue', undefined],
        ['by-hand', 'queue', undefined],
        ['by-producer', 'queue', undefined],
        ['by-trigger', 'workflow', undefined],
        ['by-worker', 'queue', undefined],
      ])
      for (const { createdAt } of listed) expect(createdAt).toBeInstanceOf(Date)
    })

    it('that nobody knows are errors that name the nearest one', async () => {
      const store = await bench.open()
      await store.admin.queues.create('parcels')
      const { queues } = store.admin
      const calls: (() => Promise<unknown>)[] = [
        () => queues.pause('parcel'),
        () => queues.resume('parcel'),
        () => queues.purge('parcel', 'all'),
        () => queues.delete('parcel'),
        () => queues.metrics('parcel'),
        () => store.admin.metrics('parcel'),
        () => store.admin.messages.list({ queue: 'parcel' }),
        () => store.admin.dead.list({ queue: 'parcel' }),
        () => store.admin.dead.replayAll('parcel'),
      ]
      for (const call of calls) {
        await expect(call()).rejects.toThrow(NotFoundError)
        await expect(call()).rejects.toThrow(/"parcel".*"parcels"/)
      }
    })

    it('give nothing away while they are paused, but take messages in, and go on where they were', async () => {
      const store = await bench.open({ pollInterval: '1h' })
      const other = await bench.open()
      const paused = await other.admin.queues
        .create('parcels')
        .then(() => other.admin.queues.pause('parcels'))
      expect(paused.pausedAt).toBeInstanceOf(Date)
      expect(await other.admin.queues.pause('parcels')).toEqual(paused)
      const seen: number[] = []
      await store.worker([queue.handler(({ payload }) => void seen.push(payload))]).start()
      await store.producer(queue).enqueue(1)
      expect(await store.consumer(queue).dequeue()).toEqual([])
      expect(await store.admin.metrics('parcels')).toMatchObject({ isPaused: true, ready: 1 })
      expect(await store.admin.queues.resume('parcels')).toMatchObject({ pausedAt: undefined })
      await eventually('the message', () => seen.length === 1)
      expect(await store.admin.metrics('parcels')).toMatchObject({ isPaused: false })
    })

    it.each([
      ['waiting', 3, { ready: 0, delayed: 0, leased: 1, archived: 3, dead: 1 }],
      ['archived', 3, { ready: 2, delayed: 1, leased: 1, archived: 0, dead: 1 }],
      ['dead', 1, { ready: 2, delayed: 1, leased: 1, archived: 3, dead: 0 }],
      ['all', 7, { ready: 0, delayed: 0, leased: 1, archived: 0, dead: 0 }],
    ] as const)('can be purged of %s', async (what, count, left) => {
      const store = await bench.open()
      const { held } = await oneOfEach(store)
      await store.producer('another').enqueue(1)
      expect(await store.admin.queues.purge('parcels', what)).toBe(count)
      expect(await store.admin.metrics('parcels')).toMatchObject(left)
      expect(await store.admin.messages.get(held)).toMatchObject({ status: 'running' })
      expect(await store.admin.metrics('another')).toMatchObject({ ready: 1 })
    })

    it('are purged in batches that report their progress', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany(Array.from({ length: 2300 }, (_, n) => n))
      const progress: number[] = []
      const onProgress = (removed: number): void => void progress.push(removed)
      expect(await store.admin.queues.purge('parcels', 'waiting', { onProgress })).toBe(2300)
      expect(progress.length).toBeGreaterThan(1)
      expect(progress).toEqual([...progress].sort((a, b) => a - b))
      expect(progress.at(-1)).toBe(2300)
    })

    it('take the checkpoints of removed runs with them', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('stepping', (run, n: number) => run.step('count', () => n + 1))
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow, 1)
      await handle.result({ timeout: '20s' })
      const steps = 'select count(*) as n from pgqrs_steps'
      expect(Number((await bench.db.query(steps))[0]?.['n'])).toBe(1)
      expect(await store.admin.queues.purge('stepping', 'archived')).toBe(1)
      expect(Number((await bench.db.query(steps))[0]?.['n'])).toBe(0)
    })

    it('are deleted only when nobody holds a message, and unfinished ones are meant to go', async () => {
      const store = await bench.open()
      const { held } = await oneOfEach(store)
      const { queues } = store.admin
      await expect(queues.delete('parcels', { force: true })).rejects.toThrow(InvalidStateError)
      expect(await store.admin.metrics('parcels')).toMatchObject({ leased: 1, ready: 2, archived: 3 })
      await store.admin.workers.reclaim({ silentFor: 0 })
      await expect(queues.delete('parcels')).rejects.toThrow(InvalidStateError)
      await expect(queues.delete('parcels')).rejects.toThrow(/unfinished messages: 4/)
      await queues.delete('parcels', { force: true })
      expect(await queues.list()).toEqual([])
      await expect(store.admin.messages.get(held)).rejects.toThrow(NotFoundError)
      await expect(queues.delete('parcels')).rejects.toThrow(NotFoundError)
    })

    it('come back empty when they are used again after they were deleted', async () => {
      const store = await bench.open()
      await oneOfEach(store)
      await store.admin.workers.reclaim({ silentFor: 0 })
      await store.admin.queues.delete('parcels', { force: true })
      await store.producer(queue).enqueue(1)
      expect(await store.admin.metrics('parcels')).toMatchObject({
        ready: 1,
        archived: 0,
        dead: 0,
        isPaused: false,
      })
    })

    it('lose a waiting message for good when it is purged, also one that was enqueued by key', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      await store.producer(queue).enqueue(1, { key: 'k', delay: '1m' })
      expect(await store.admin.queues.purge('parcels', 'waiting')).toBe(1)
      const id = await store.producer(queue).enqueue(2, { key: 'k', onConflict: 'reject' })
      await clock.advance(60_000)
      expect((await store.consumer(queue).dequeue()).map((m) => m.id)).toEqual([id])
    })
  })
}
