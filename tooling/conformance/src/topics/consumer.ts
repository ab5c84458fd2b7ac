import { describe, expect, it } from 'vitest'
import { defineQueue, LeaseLostError, NotFoundError, PgqrsError, type Consumer } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
import type { Target } from '../target.js'

/** Taking messages by hand, and the ways to end a hold. */
export function consumer(target: Target): void {
  describe('consumer', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('parcels')
    const payloads = (n: number): { n: number }[] => Array.from({ length: n }, (_, i) => ({ n: i }))

    it('takes at most the limit, and nothing from an empty queue', async () => {
      const store = await bench.open({ batchSize: 3 })
      const hands = store.consumer(queue)
      expect(await hands.dequeue()).toEqual([])
      await store.producer(queue).enqueueMany(payloads(9))
      expect(await hands.dequeue({ limit: 2 })).toHaveLength(2)
      expect(await hands.dequeue()).toHaveLength(3)
      expect(await hands.dequeue({ limit: 100 })).toHaveLength(4)
      expect(await hands.dequeue()).toEqual([])
    })

    it('says how long the lease holds, and prolongs it from now', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock, lease: '20s' })
      const hands = store.consumer(queue)
      await store.producer(queue).enqueueMany(payloads(2))
      const [first] = await hands.dequeue({ limit: 1 })
      const [second] = await hands.dequeue({ limit: 1, lease: '5s' })
      expect(first?.leaseExpiresAt).toEqual(new Date(clock.wallNow() + 20_000))
      expect(second?.leaseExpiresAt).toEqual(new Date(clock.wallNow() + 5000))
      await clock.advance(4000)
      await second?.extend('10s')
      expect(second?.leaseExpiresAt).toEqual(new Date(clock.wallNow() + 10_000))
      expect((await store.admin.messages.get(second!.id)).visibleAt).toEqual(second?.leaseExpiresAt)
    })

    it('archives with an output', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue({ n: 1 })
      const hands = store.consumer(queue)
      const [message] = await hands.dequeue()
      await message?.archive({ sent: new Date(5) })
      const info = await store.admin.messages.get(id)
      expect(info).toMatchObject({ status: 'success', output: { sent: new Date(5) }, claims: 1, failures: 0 })
      expect(info.finishedAt).toBeInstanceOf(Date)
      expect(await hands.dequeue()).toEqual([])
    })

    it('deletes without a trace', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue({ n: 1 })
      const [message] = await store.consumer(queue).dequeue()
      await message?.delete()
      await expect(store.admin.messages.get(id)).rejects.toThrow(NotFoundError)
    })

    it('fails a message into a dead letter with the error', async () => {
      const store = await bench.open()
      const id = await store.producer(queue).enqueue({ n: 1 })
      const [message] = await store.consumer(queue).dequeue()
      await message?.fail(new PgqrsError('NO_SUCH_STREET', 'there is no such street'))
      const dead = await store.admin.dead.get(id)
      expect(dead).toMatchObject({ status: 'error', failures: 1 })
      expect(dead.error).toBeInstanceOf(PgqrsError)
      expect(dead.error).toMatchObject({ code: 'NO_SUCH_STREET', message: 'there is no such street' })
    })

    it('gives a message back at once or after a delay, at no attempt’s cost', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      await store.producer(queue).enqueue({ n: 1 })
      const hands = store.consumer(queue)
      const [first] = await hands.dequeue()
      await first?.release()
      const [again] = await hands.dequeue()
      expect(again).toMatchObject({ id: first?.id, attempt: 1, crashes: 0 })
      await again?.release({ delay: '1m' })
      await clock.advance(59_999)
      expect(await hands.dequeue()).toEqual([])
      await clock.advance(1)
      const [late] = await hands.dequeue()
      expect(late).toMatchObject({ id: first?.id, attempt: 1, crashes: 0 })
    })

    it.each(['archive', 'delete', 'release', 'extend', 'fail'] as const)(
      'can %s many at once, and reports those whose lease was lost',
      async (name) => {
        const clock = new TestClock()
        const store = await bench.open({ clock })
        const hands = store.consumer(queue)
        const other = (await bench.open({ clock })).consumer(queue)
        await store.producer(queue).enqueueMany(payloads(5))
        const soonLost = await hands.dequeue({ limit: 2, lease: '1s' })
        const held = await hands.dequeue({ limit: 3, lease: '1h' })
        await clock.advance(1000)
        expect(await other.dequeue()).toHaveLength(2)

        const messages = [...soonLost, ...held]
        const ends = {
          archive: () => hands.archiveMany(messages),
          delete: () => hands.deleteMany(messages),
          release: () => hands.releaseMany(messages, { delay: '1h' }),
          extend: () => hands.extendMany(messages, '1m'),
          fail: () => hands.failMany(messages, new Error('no')),
        }
        const counts = {
          archive: { leased: 2, archived: 3 },
          delete: { leased: 2, archived: 0, dead: 0 },
          release: { leased: 2, delayed: 3 },
          extend: { leased: 5 },
          fail: { leased: 2, dead: 3 },
        }
        expect(await ends[name]()).toEqual({ done: held.map((m) => m.id), lost: soonLost.map((m) => m.id) })
        expect(await store.admin.metrics('parcels')).toMatchObject(counts[name])
      },
    )

    it('never shares a message between consumers', async () => {
      const stores = [await bench.open(), await bench.open()]
      const ids = await stores[0]!.producer(queue).enqueueMany(payloads(200))
      const taken: string[] = []
      const drain = async (hands: Consumer<{ n: number }>): Promise<void> => {
        for (;;) {
          const messages = await hands.dequeue({ limit: 7 })
          if (messages.length === 0) return
          taken.push(...messages.map((m) => m.id))
          await hands.archiveMany(messages)
        }
      }
      await Promise.all([0, 1, 0, 1].map((n) => drain(stores[n]!.consumer(queue))))
      expect(taken.sort()).toEqual(ids)
    })

    it('gets nothing from a paused queue until it is resumed', async () => {
      const store = await bench.open()
      const other = await bench.open()
      await store.producer(queue).enqueueMany(payloads(2))
      const hands = store.consumer(queue)
      const [held] = await hands.dequeue({ limit: 1 })
      await other.admin.queues.pause('parcels')
      expect(await hands.dequeue()).toEqual([])
      await held?.archive()
      await other.admin.queues.resume('parcels')
      expect(await hands.dequeue()).toHaveLength(1)
    })

    it('ends a message cancelled that was asked to cancel while it was held', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const hands = store.consumer(queue)
      const ends = [
        (id: string) => hands.archiveMany(messages.filter((m) => m.id === id)),
        (id: string) => hands.releaseMany(messages.filter((m) => m.id === id)),
        (id: string) =>
          hands.failMany(
            messages.filter((m) => m.id === id),
            new Error('too late'),
          ),
      ]
      const ids = await store.producer(queue).enqueueMany(payloads(ends.length))
      const messages = await hands.dequeue()
      for (const [i, id] of ids.entries()) {
        expect(await other.admin.messages.cancel(id, 'not wanted')).toBe('cancelling')
        expect(await ends[i]!(id)).toEqual({ done: [id], lost: [] })
        const info = await other.admin.messages.get(id)
        expect(info).toMatchObject({ status: 'cancelled', output: undefined })
        expect(info.error).toMatchObject({ code: 'RUN_CANCELLED', message: 'not wanted' })
      }
      expect(await hands.dequeue()).toEqual([])
    })

    it('cancels what nobody holds at once, also what is delayed', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      for (const id of [
        await producer.enqueue({ n: 1 }),
        await producer.enqueue({ n: 2 }, { delay: '1h' }),
      ]) {
        expect(await store.admin.messages.cancel(id)).toBe('cancelled')
        expect(await store.admin.messages.cancel(id)).toBe('cancelled')
      }
      expect(await store.consumer(queue).dequeue()).toEqual([])
    })

    it('is told when the message is no longer there', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueue({ n: 1 })
      const [message] = await store.consumer(queue).dequeue()
      await message!.delete()
      const ends = [
        () => message!.archive(),
        () => message!.delete(),
        () => message!.release(),
        () => message!.extend('1m'),
      ]
      for (const end of ends) await expect(end()).rejects.toThrow(LeaseLostError)
    })
  })
}
