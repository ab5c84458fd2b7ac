import { describe, expect, it } from 'vitest'
import { defineQueue, LeaseLostError, PgqrsError, type LeasedMessage, type WorkerEvent } from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Gate } from '../gate.js'
import { transitionOf } from '../crash-points.js'
import { intercept } from '../intercept.js'
import { LossyLine } from '../lossy-line.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

type Held = LeasedMessage<{ n: number }>

const ends: Readonly<Record<string, (message: Held) => Promise<void>>> = {
  archive: (message) => message.archive({ from: 'a zombie' }),
  delete: (message) => message.delete(),
  release: (message) => message.release({ delay: '1h' }),
  extend: (message) => message.extend('1h'),
  fail: (message) => message.fail(new Error('from a zombie')),
}

/** Leases: they lapse by themselves, and a holder that lost its lease changes nothing. */
export function leases(target: Target): void {
  describe('lease', () => {
    const bench = useBench(target)
    const queue = defineQueue<{ n: number }>('leased')

    /** Two consumers in two stores that follow one clock, and a message which the first holds for ten seconds. */
    async function held() {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const first = store.consumer(queue)
      const second = (await bench.open({ clock })).consumer(queue)
      const id = await store.producer(queue).enqueue({ n: 1 })
      const [message] = await first.dequeue({ lease: '10s' })
      return { clock, store, first, second, id, message: message! }
    }

    // Found by `npm run chaos -- --store turso --seconds 60 --seed 23`: one lease was granted twice.
    it('is not granted a second time by a claim that is sent again because its answer came too late', async () => {
      const observer = await bench.open()
      const id = await observer.producer(queue).enqueue({ n: 1 })
      const line = new LossyLine()
      line.lose('claim', 'answer')
      let claims = 0
      const lapsed = intercept(async (statements, next) => {
        const rows = await next(statements)
        const isClaim = statements.some((statement) => transitionOf(statement) === 'claim')
        if (!isClaim || ++claims > 1) return rows
        await eventually(
          'the lease to lapse',
          async () => (await observer.admin.metrics('leased')).leased === 0,
        )
        return rows
      })
      const store = await bench.open({ wrapDriver: (driver: Driver) => line.wrapDriver(lapsed(driver)) })
      const consumer = store.consumer(queue)
      expect(await consumer.dequeue({ lease: '150ms' })).toEqual([])
      expect(line.lost).toBe(true)
      const [message] = await consumer.dequeue()
      expect(message).toMatchObject({ id, crashes: 1 })
    })

    it('keeps others out until it lapses, then the message is redelivered by itself and the crash is counted', async () => {
      const { clock, second, id } = await held()
      await clock.advance(9_999)
      expect(await second.dequeue()).toEqual([])
      await clock.advance(1)
      const [again] = await second.dequeue()
      expect(again).toMatchObject({ id, crashes: 1, attempt: 1 })
      expect(await second.dequeue()).toEqual([])
    })

    it.each(Object.keys(ends))('lets a lost holder’s %s change nothing and tells it', async (name) => {
      const { clock, store, second, id, message } = await held()
      await clock.advance(10_000)
      const [again] = await second.dequeue({ lease: '1m' })
      const before = await store.admin.messages.get(id)
      const end = ends[name]!(message)
      await expect(end).rejects.toThrow(LeaseLostError)
      await expect(end).rejects.toMatchObject({ id, code: 'LEASE_LOST' })
      expect(await store.admin.messages.get(id)).toEqual(before)
      expect(before).toMatchObject({ status: 'running', workerId: second.workerId })
      await again?.archive({ from: 'the holder' })
      await expect(ends[name]!(message)).rejects.toThrow(LeaseLostError)
      expect(await store.admin.messages.get(id)).toMatchObject({ output: { from: 'the holder' } })
    })

    it.each(['archive', 'release', 'fail'])('is over after its holder’s own %s', async (name) => {
      const { store, id, message } = await held()
      await ends[name]!(message)
      const before = await store.admin.messages.get(id)
      for (const end of Object.values(ends)) await expect(end(message)).rejects.toThrow(LeaseLostError)
      expect(await store.admin.messages.get(id)).toEqual(before)
    })

    it('cannot be prolonged any more once it has lapsed, even if nobody else has come', async () => {
      const { clock, second, message } = await held()
      await clock.advance(10_000)
      await expect(message.extend('1m')).rejects.toThrow(LeaseLostError)
      expect(await second.dequeue()).toHaveLength(1)
    })

    // The fence is the grant, not the clock: as long as nobody else was granted the message, the work that was done counts.
    it('accepts the end of the work after it has lapsed as long as nobody else has come', async () => {
      const { clock, store, second, id, message } = await held()
      await clock.advance(60_000)
      await message.archive('late, but first')
      expect(await store.admin.messages.get(id)).toMatchObject({
        status: 'success',
        output: 'late, but first',
      })
      expect(await second.dequeue()).toEqual([])
    })

    it('holds for as long as it is prolonged', async () => {
      const { clock, store, second, id, message } = await held()
      for (let i = 0; i < 5; i++) {
        await clock.advance(9_000)
        await message.extend('10s')
        expect(await second.dequeue()).toEqual([])
      }
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 1, crashes: 0 })
    })

    it('is granted with another id to each holder, the same one included', async () => {
      const { clock, first, id, message } = await held()
      await clock.advance(10_000)
      const [again] = await first.dequeue()
      expect(again?.id).toBe(id)
      await expect(message.archive()).rejects.toThrow(LeaseLostError)
      await again?.archive()
    })

    it('makes a dead letter of a message whose holders are lost again and again', async () => {
      const poison = defineQueue<{ n: number }>('poison', { maxCrashes: 2 })
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const id = await store.producer(poison).enqueue({ n: 1 })
      const hands = store.consumer(poison)
      for (const crashes of [0, 1]) {
        const [message] = await hands.dequeue({ lease: '1s' })
        expect(message).toMatchObject({ id, crashes, attempt: 1 })
        await clock.advance(1000)
      }
      expect(await hands.dequeue()).toEqual([])
      const dead = await store.admin.dead.get(id)
      expect(dead).toMatchObject({ crashes: 2, failures: 0 })
      expect(dead.error).toBeInstanceOf(PgqrsError)
      expect(dead.error).toMatchObject({ code: 'MAX_CRASHES' })
    })

    it('tells of what a worker gives up or ends instead of handing it out', async () => {
      const poison = defineQueue<{ n: number }>('poison', { maxCrashes: 1 })
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const [dead, cancelled] = await store.producer(poison).enqueueMany([{ n: 1 }, { n: 2 }])
      await store.consumer(poison).dequeue({ lease: '1s' })
      await store.admin.messages.cancel(cancelled!)
      await clock.advance(1000)
      const events: WorkerEvent[] = []
      const worker = store.worker([poison.handler(() => undefined)], {
        onEvent: (event) => events.push(event),
      })
      await worker.start()
      await eventually('both to be told', () => events.filter((event) => 'id' in event).length === 2)
      expect(events).toContainEqual({ type: 'cancelled', queue: 'poison', id: cancelled })
      expect(events).toContainEqual({
        type: 'dead',
        queue: 'poison',
        id: dead,
        error: expect.objectContaining({ code: 'MAX_CRASHES' }) as unknown,
      })
      expect(await store.admin.dead.get(dead!)).toMatchObject({ error: { code: 'MAX_CRASHES' } })
    })

    it('is taken from a handler when it must have lapsed, though the database says nothing', async () => {
      const clock = new TestClock()
      const gate = new Gate()
      let silent = false
      const wrapDriver = intercept(async (statements, next) => {
        if (silent) await gate.passed
        return next(statements)
      })
      const store = await bench.open({ clock, wrapDriver })
      const reasons: unknown[] = []
      const short = defineQueue<{ n: number }>('short', { lease: '5s' })
      const worker = store.worker([
        short.handler(
          (_, { signal }) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                reasons.push(signal.reason)
                reject(signal.reason as Error)
              })
            }),
        ),
      ])
      await worker.start()
      await store.producer(short).enqueue({ n: 1 })
      await passTime(clock, 'the handler to run', () => worker.active === 1, 20)
      silent = true
      await clock.advance(4000)
      expect(reasons).toEqual([])
      // Not a single answer comes, neither of a renewal nor of anything else.
      await clock.advance(3000)
      expect(reasons).toEqual([expect.any(LeaseLostError)])
      silent = false
      gate.open()
    })

    it('lost twice makes a message a suspect, of which a worker runs one at a time beside all others', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const producer = store.producer(queue)
      const hands = store.consumer(queue)
      const suspects = await producer.enqueueMany([{ n: 1 }, { n: 2 }, { n: 3 }])
      for (let i = 0; i < 2; i++) {
        expect(await hands.dequeue({ lease: '1s' })).toHaveLength(3)
        await clock.advance(1000)
      }
      const others = await producer.enqueueMany([{ n: 4 }, { n: 5 }])
      const gates = new Map<string, Gate>()
      const worker = store.worker([
        queue.handler(async ({ id }) => {
          const gate = new Gate()
          gates.set(id, gate)
          await gate.passed
        }),
      ])
      await worker.start()
      const done = new Set<string>()
      const running = (ids: readonly string[]): string[] => ids.filter((id) => gates.has(id) && !done.has(id))
      for (let i = 0; i < suspects.length; i++) {
        await passTime(clock, 'a suspect to run', () => running(suspects).length > 0, 50)
        await clock.advance(2000)
        expect(running(suspects)).toHaveLength(1)
        expect(running(others)).toHaveLength(2)
        const [id] = running(suspects)
        done.add(id!)
        gates.get(id!)?.open()
      }
      for (const id of others) gates.get(id)?.open()
      await passTime(
        clock,
        'all to be done',
        async () => (await store.admin.metrics('leased')).archived === 5,
        50,
      )
      for (const id of suspects) {
        expect(await store.admin.messages.get(id)).toMatchObject({
          status: 'success',
          crashes: 2,
          failures: 0,
        })
      }
    })

    it('counts crashes apart from releases', async () => {
      const { clock, first, message } = await held()
      await message.release()
      const [again] = await first.dequeue({ lease: '1s' })
      expect(again).toMatchObject({ crashes: 0 })
      await clock.advance(1000)
      const [third] = await first.dequeue({ lease: '1s' })
      expect(third).toMatchObject({ crashes: 1 })
      await third?.release()
      const [fourth] = await first.dequeue()
      expect(fourth).toMatchObject({ crashes: 1 })
    })

    it('is nobody’s any more once it has lapsed: a cancel ends the message at once, and a late holder changes nothing', async () => {
      const { clock, store, id, message } = await held()
      await clock.advance(10_000)
      expect(await store.admin.messages.cancel(id, 'enough')).toBe('cancelled')
      const before = await store.admin.messages.get(id)
      expect(before).toMatchObject({ status: 'cancelled', error: { message: 'enough' } })
      for (const end of Object.values(ends)) await expect(end(message)).rejects.toThrow(LeaseLostError)
      expect(await store.admin.messages.get(id)).toEqual(before)
      expect(await store.admin.metrics('leased')).toMatchObject({ ready: 0, leased: 0, archived: 1 })
    })

    it('that lapses after a cancel was asked for lets a second cancel end the message', async () => {
      const { clock, store, id } = await held()
      expect(await store.admin.messages.cancel(id, 'first')).toBe('cancelling')
      await clock.advance(10_000)
      expect(await store.admin.messages.cancel(id, 'second')).toBe('cancelled')
      expect(await store.admin.messages.get(id)).toMatchObject({ error: { message: 'first' } })
    })

    it('that lapses after a cancel was asked for lets an archive end the message as cancelled', async () => {
      const { clock, store, id } = await held()
      expect(await store.admin.messages.cancel(id, 'enough')).toBe('cancelling')
      await clock.advance(10_000)
      await store.admin.messages.archive(id)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'cancelled' })
    })

    it('ends a message cancelled whose holder was asked to cancel and was lost', async () => {
      const { clock, store, second, id } = await held()
      expect(await store.admin.messages.cancel(id)).toBe('cancelling')
      await clock.advance(10_000)
      expect(await second.dequeue()).toEqual([])
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'cancelled', crashes: 0 })
    })
  })
}
