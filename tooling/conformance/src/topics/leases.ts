import { describe, expect, it } from 'vitest'
import { defineQueue, LeaseLostError, PgqrsError, type LeasedMessage } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
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

    it('ends a message cancelled whose holder was asked to cancel and was lost', async () => {
      const { clock, store, second, id } = await held()
      expect(await store.admin.messages.cancel(id)).toBe('cancelling')
      await clock.advance(10_000)
      expect(await second.dequeue()).toEqual([])
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'cancelled', crashes: 0 })
    })
  })
}
