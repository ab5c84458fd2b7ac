import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { defineQueue, InvalidStateError, NotFoundError, type Store } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { FrozenClock } from '../frozen-clock.js'
import { Gate } from '../gate.js'
import { CutLine } from '../cut-line.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Who is registered, whether it lives, and what others may make of it. */
export function workers(target: Target): void {
  describe('workers', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('jobs')
    const idle = queue.handler(() => undefined)

    it('lists workers, consumers and named producers with name, host, process and queues', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const second = defineQueue<number>('more-jobs')
      const worker = store.worker([idle, second.handler(() => undefined)], { name: 'the-worker' })
      await worker.start()
      const hands = store.consumer(queue, { name: 'the-consumer' })
      await hands.dequeue()
      await store.consumer(second).dequeue()
      store.producer(queue, { name: 'the-producer' })
      store.producer(queue)
      const listed = await eventually('all to be listed', async () => {
        const all = await other.admin.workers.list()
        return all.length === 4 ? all : undefined
      })
      const here = { host: hostname(), pid: process.pid, health: 'healthy', held: 0 }
      expect(new Map(listed.map((w) => [w.name, w]))).toMatchObject(
        new Map([
          ['the-worker', { ...here, id: worker.id, queues: ['jobs', 'more-jobs'], status: 'polling' }],
          ['the-consumer', { ...here, id: hands.workerId, queues: ['jobs'], status: 'ready' }],
          ['consumer-of-more-jobs', { ...here, queues: ['more-jobs'], status: 'ready' }],
          ['the-producer', { ...here, queues: ['jobs'], status: 'ready' }],
        ]),
      )
    })

    it('shows what each holds', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany([1, 2, 3])
      const hands = store.consumer(queue)
      const messages = await hands.dequeue({ limit: 2 })
      expect(await store.admin.workers.get(hands.workerId)).toMatchObject({ held: 2 })
      expect((await store.admin.messages.get(messages[0]!.id)).workerId).toBe(hands.workerId)
      await hands.archiveMany(messages)
      expect(await store.admin.workers.get(hands.workerId)).toMatchObject({ held: 0 })
    })

    it('marks as stopped who leaves', async () => {
      const store = await bench.open()
      const worker = store.worker([idle])
      await worker.start()
      const hands = store.consumer(queue)
      await hands.dequeue()
      await worker.stop()
      await hands.close()
      const producer = store.producer(queue, { name: 'short-lived' })
      await producer.close()
      const listed = await store.admin.workers.list()
      expect(listed).toHaveLength(3)
      for (const one of listed) {
        expect(one).toMatchObject({ status: 'stopped', health: 'stopped' })
        expect(one.stoppedAt).toBeInstanceOf(Date)
      }
    })

    it('lets a suspended worker finish what it holds and claim nothing more until it is resumed', async () => {
      const store = await bench.open({ heartbeatInterval: '20ms' })
      const admin = (await bench.open()).admin
      const gate = new Gate()
      const done: number[] = []
      const handler = queue.handler(async ({ payload }) => {
        if (payload === 1) await gate.passed
        done.push(payload)
      })
      const worker = store.worker([handler])
      await worker.start()
      await store.producer(queue).enqueue(1)
      await eventually('it to hold one', () => worker.active === 1)
      await admin.workers.suspend(worker.id)
      await eventually('the worker to hear of it', () => worker.status === 'suspended')
      await store.producer(queue).enqueue(2)
      gate.open()
      await eventually('it to finish', () => done.length === 1)
      expect(await admin.metrics('jobs')).toMatchObject({ archived: 1, ready: 1, leased: 0 })
      await admin.workers.resume(worker.id)
      await eventually('it to go on', () => done.length === 2)
      expect(worker.status).toBe('polling')
      expect(await admin.workers.get(worker.id)).toMatchObject({ status: 'polling' })
    })

    it('lets a suspended consumer take nothing until it is resumed', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const admin = (await bench.open({ clock })).admin
      await store.producer(queue).enqueue(1)
      const hands = store.consumer(queue)
      const takes = async (): Promise<boolean> => {
        const [message] = await hands.dequeue()
        await message?.release()
        return message !== undefined
      }
      expect(await takes()).toBe(true)
      await admin.workers.suspend(hands.workerId)
      await passTime(clock, 'the consumer to hear of it', async () => !(await takes()), 6000)
      await admin.workers.resume(hands.workerId)
      await passTime(clock, 'it to go on', takes, 6000)
    })

    it('stops a worker that is interrupted from elsewhere', async () => {
      const store = await bench.open({ heartbeatInterval: '20ms' })
      const admin = (await bench.open()).admin
      const gate = new Gate()
      const worker = store.worker([queue.handler(() => gate.passed)])
      await worker.start()
      await store.producer(queue).enqueueMany([1, 2])
      await eventually('it to hold both', () => worker.active === 2)
      await admin.workers.interrupt(worker.id)
      await eventually('the worker to hear of it', () => worker.status === 'interrupted')
      gate.open()
      expect(await worker.stopped).toBe('interrupted')
      expect(await admin.workers.get(worker.id)).toMatchObject({ status: 'stopped', held: 0 })
      expect(await admin.metrics('jobs')).toMatchObject({ archived: 2 })
    })

    it('refuses to shut down a worker that holds messages unless it is told to release them', async () => {
      const store = await bench.open()
      const admin = (await bench.open()).admin
      const [id] = await store.producer(queue).enqueueMany([1, 2])
      const hands = store.consumer(queue)
      const messages = await hands.dequeue({ lease: '1h' })
      await admin.workers.suspend(hands.workerId)
      const refused = admin.workers.shutdown(hands.workerId)
      await expect(refused).rejects.toThrow(InvalidStateError)
      await expect(refused).rejects.toThrow(/holds 2 messages/)
      expect(await admin.workers.get(hands.workerId)).toMatchObject({ status: 'suspended', held: 2 })

      await admin.workers.shutdown(hands.workerId, { release: true })
      expect(await admin.workers.get(hands.workerId)).toMatchObject({ status: 'stopped', held: 0 })
      const [again] = await (await bench.open()).consumer(queue).dequeue({ limit: 1 })
      expect(again).toMatchObject({ id, attempt: 1, crashes: 0 })
      await expect(messages[0]!.archive()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    })

    it('stops a running worker that is shut down with release', async () => {
      const store = await bench.open({ heartbeatInterval: '20ms' })
      const admin = (await bench.open()).admin
      const id = await store.producer(queue).enqueue(1)
      const handler = queue.handler(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error))
          }),
      )
      const worker = store.worker([handler])
      await worker.start()
      await eventually('it to run', () => worker.active === 1)
      await admin.workers.suspend(worker.id)
      await eventually('the worker to hear of it', () => worker.status === 'suspended')
      await admin.workers.shutdown(worker.id, { release: true })
      expect(await worker.stopped).toBe('stopped')
      expect(await admin.messages.get(id)).toMatchObject({ status: 'queued', failures: 0, crashes: 0 })
    })

    it('refuses what names no worker', async () => {
      const { admin } = await bench.open()
      const id = '018f0000-0000-7000-8000-000000000000'
      for (const act of ['get', 'suspend', 'resume', 'interrupt', 'shutdown'] as const) {
        await expect(admin.workers[act](id)).rejects.toThrow(NotFoundError)
        await expect(admin.workers[act]('who?')).rejects.toThrow(NotFoundError)
      }
    })

    describe('silent', () => {
      /** A store whose consumer holds a message for an hour and then loses its way to the database. */
      async function silent(clock: TestClock): Promise<{ store: Store; id: string; worker: string }> {
        const line = new CutLine()
        const store = await bench.open({ clock, wrapDriver: line.wrapDriver })
        const id = await store.producer(queue).enqueue(1)
        const hands = store.consumer(queue, { name: 'silent' })
        await hands.dequeue({ lease: '1h' })
        line.cut()
        return { store, id, worker: hands.workerId }
      }

      it('ones are stale when their heartbeat is late, others stay healthy', async () => {
        const clock = new TestClock()
        const { worker } = await silent(clock)
        const other = await bench.open({ clock })
        const lively = other.consumer(queue, { name: 'lively' })
        await lively.dequeue()
        const { admin } = other
        expect(await admin.workers.get(worker)).toMatchObject({ health: 'healthy' })
        // In steps, so that the beats of the lively one have the time they need with a database that is far away.
        for (let i = 0; i < 4; i++) {
          await clock.advance(5000)
          await eventually(
            'the beat',
            async () => (await admin.workers.get(lively.workerId)).heartbeatAgeMs < 5000,
          )
        }
        const found = await admin.workers.get(worker)
        expect(found).toMatchObject({ health: 'stale', status: 'ready', heartbeatAgeMs: 20_000, held: 1 })
        expect(await admin.workers.get(lively.workerId)).toMatchObject({ health: 'healthy' })
        expect(await admin.workers.get(worker, { staleAfter: '1m' })).toMatchObject({ health: 'healthy' })
        expect(await admin.workers.stats()).toEqual({
          total: 2,
          byStatus: { ready: 2, polling: 0, suspended: 0, interrupted: 0, stopped: 0 },
          healthy: 1,
          stale: 1,
          held: 1,
        })
      })

      it('ones are forgotten when they hold nothing, and others never', async () => {
        const clock = new TestClock()
        const { worker, id } = await silent(clock)
        const other = await bench.open({ clock })
        const gone = other.consumer(queue, { name: 'gone' })
        await gone.dequeue()
        await gone.close()
        await clock.advance(120_000)
        const lively = other.consumer(queue, { name: 'lively' })
        await lively.dequeue()
        const names = async (): Promise<string[]> => (await other.admin.workers.list()).map((w) => w.name)
        expect(await other.admin.workers.purge('1h')).toBe(0)
        expect(await other.admin.workers.purge('1m')).toBe(1)
        expect(await names()).toEqual(['silent', 'lively'])
        await other.admin.workers.reclaim({ silentFor: '1m' })
        const [message] = await lively.dequeue()
        expect(message?.id).toBe(id)
        expect(await other.admin.workers.purge('1m')).toBe(1)
        expect(await names()).toEqual(['lively'])
        await expect(other.admin.workers.get(worker)).rejects.toThrow(NotFoundError)
      })

      it('ones that were frozen and forgotten are listed again and go on', async () => {
        const clock = new TestClock()
        const frozen = new FrozenClock(clock)
        const store = await bench.open({ clock: frozen })
        const done: number[] = []
        const worker = store.worker([queue.handler(({ payload }) => void done.push(payload))])
        await worker.start()
        const suspended = store.consumer<number>('by-hand', { name: 'suspended' })
        const other = await bench.open({ clock })
        await other.producer('by-hand').enqueue(1)
        const takes = async (): Promise<boolean> => {
          const [message] = await suspended.dequeue()
          await message?.release()
          return message !== undefined
        }
        expect(await takes()).toBe(true)
        await other.admin.workers.suspend(suspended.workerId)
        await passTime(clock, 'the consumer to hear of it', async () => !(await takes()), 6000)
        frozen.freeze()
        await clock.advance(3_600_000)
        expect(await other.admin.workers.purge('30m')).toBe(2)
        expect(await other.admin.workers.list()).toEqual([])
        frozen.thaw()
        await passTime(
          clock,
          'both to be listed',
          async () => (await other.admin.workers.list()).length === 2,
        )
        await passTime(clock, 'the worker to poll', () => worker.status === 'polling')
        expect(await other.admin.workers.get(worker.id)).toMatchObject({
          status: 'polling',
          health: 'healthy',
        })
        expect(await other.admin.workers.get(suspended.workerId)).toMatchObject({ status: 'suspended' })
        await other.producer(queue).enqueue(7)
        expect(await takes()).toBe(false)
        await passTime(clock, 'the worker to go on', () => done.includes(7))
      })

      it('ones lose what they hold to a reclaim, and others keep theirs', async () => {
        const clock = new TestClock()
        const { id } = await silent(clock)
        const other = await bench.open({ clock })
        await clock.advance(60_000)
        const lively = other.consumer(queue, { name: 'lively' })
        await other.producer(queue).enqueue(2)
        const [kept] = await lively.dequeue({ lease: '1h' })
        expect(await lively.dequeue()).toEqual([])
        expect(await other.admin.workers.reclaim({ silentFor: '2m' })).toBe(0)
        expect(await other.admin.workers.reclaim()).toBe(1)
        const [taken] = await lively.dequeue()
        expect(taken).toMatchObject({ id, crashes: 1 })
        await kept?.archive()
      })
    })
  })
}
