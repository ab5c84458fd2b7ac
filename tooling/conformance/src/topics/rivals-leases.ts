import { describe, expect, it } from 'vitest'
import { defineQueue, LeaseLostError, type Store, type WorkerEvent } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { FrozenClock } from '../frozen-clock.js'
import { Gate } from '../gate.js'
import { Mortal } from '../mortal.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

const LEASE_MS = 10_000

/** What went wrong elsewhere with who holds what. Each test has the name of the project and its thread. */
export function rivalsLeases(target: Target): void {
  describe('a rival’s bug, leases', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('jobs', { lease: LEASE_MS })
    const hour = { lease: '1h' } as const

    /** A worker whose handler waits for the gate, and the payloads it has begun with. */
    async function busy(
      store: Store,
      options: { name?: string } = {},
    ): Promise<{ begun: number[]; gate: Gate; lost: () => WorkerEvent[] }> {
      const begun: number[] = []
      const events: WorkerEvent[] = []
      const gate = new Gate()
      const handler = queue.handler(async ({ payload }) => {
        begun.push(payload)
        await gate.passed
        return options.name
      })
      await store.worker([handler], { ...options, onEvent: (event) => events.push(event) }).start()
      return { begun, gate, lost: () => events.filter(({ type }) => type === 'lease_lost') }
    }

    it('River #1302: a rescuer overwrites a job completed after its snapshot', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const rescuer = (await bench.open({ clock })).consumer(queue)
      const holder = store.consumer(queue)
      await store.producer(queue).enqueueMany(Array.from({ length: 24 }, (_, n) => n))
      const held = await holder.dequeue({ limit: 24 })
      await clock.advance(LEASE_MS)
      // All of it at once, so that they meet in every order there is.
      const ends = held.map((message) =>
        message.archive('the holder').then(
          () => message.id,
          (error: unknown) => expect(error).toBeInstanceOf(LeaseLostError),
        ),
      )
      const rescues = Array.from({ length: 12 }, () => rescuer.dequeue({ limit: 2, ...hour }))
      const finished = new Set(await Promise.all(ends))
      const rescued = new Set((await Promise.all(rescues)).flat().map(({ id }) => id))
      for (const { id } of held) {
        expect(finished.has(id), id).toBe(!rescued.has(id))
        const { status, output } = await store.admin.messages.get(id)
        expect({ status, output }).toEqual(
          finished.has(id) ? { status: 'success', output: 'the holder' } : { status: 'running' },
        )
      }
    })

    it('River #1258: jobs of a lost worker stay running for 91 days', async () => {
      const stopped = new TestClock()
      const mortal = new Mortal()
      const dying = await bench.open({ clock: stopped, wrapDriver: mortal.wrapDriver })
      const dead = await busy(dying)
      const ids = await dying.producer(queue).enqueueMany([1, 2, 3])
      await passTime(stopped, 'all to be held', () => dead.begun.length === 3, 20)
      mortal.kill()
      dead.gate.open()
      const clock = new TestClock(stopped.databaseNow() + 91 * 24 * 3_600_000)
      const store = await bench.open({ clock })
      const { begun, gate } = await busy(store)
      gate.open()
      await passTime(
        clock,
        'all to be done',
        async () => (await store.admin.metrics('jobs')).archived === 3,
        20,
      )
      expect(begun.sort()).toEqual([1, 2, 3])
      for (const id of ids)
        expect(await store.admin.messages.get(id)).toMatchObject({ crashes: 1, failures: 0 })
    })

    it('vercel/workflow #3758: whoever starts executes again what a live peer holds', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const first = await busy(store, { name: 'first' })
      await store.producer(queue).enqueueMany([1, 2])
      await passTime(clock, 'both to be held', () => first.begun.length === 2, 20)
      const peers = []
      for (const name of ['second', 'third', 'fourth']) {
        peers.push(await busy(await bench.open({ clock }), { name }))
        await passTime(clock, 'a look', () => true, 500)
      }
      first.gate.open()
      await eventually('both to be done', async () => (await store.admin.metrics('jobs')).archived === 2)
      expect(peers.flatMap(({ begun }) => begun)).toEqual([])
      expect(first.begun).toEqual([1, 2])
    })

    it('Oban, hexpm #1825: a rescue by age begins a live job of an hour again', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const live = await busy(store)
      const other = await busy(await bench.open({ clock }))
      const id = await store.producer(queue).enqueue(1)
      const begun = (): number[] => [...live.begun, ...other.begun]
      await passTime(clock, 'it to be held', () => begun().length === 1, 20)
      const from = clock.databaseNow()
      // Steps shorter than what is left of a lease after a heartbeat that is on its way.
      await passTime(clock, 'four leases', () => clock.databaseNow() - from >= 4 * LEASE_MS, 1000)
      live.gate.open()
      other.gate.open()
      await eventually('the end', async () => (await store.admin.messages.get(id)).status === 'success')
      expect(begun()).toEqual([1])
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 1, crashes: 0 })
    })

    it('Oban #862: a name that is used again keeps the dead one’s jobs from being rescued', async () => {
      const clock = new TestClock()
      const mortal = new Mortal()
      const dying = await bench.open({ clock, wrapDriver: mortal.wrapDriver })
      const dead = await busy(dying, { name: 'pod-0' })
      const id = await dying.producer(queue).enqueue(1)
      await passTime(clock, 'it to be held', () => dead.begun.length === 1, 20)
      mortal.kill()
      dead.gate.open()
      const store = await bench.open({ clock })
      const { begun, gate } = await busy(store, { name: 'pod-0' })
      gate.open()
      await clock.advance(LEASE_MS / 2)
      expect(begun).toEqual([])
      await passTime(clock, 'the rescue', () => begun.length === 1, 1000)
      await eventually('the end', async () => (await store.admin.messages.get(id)).status === 'success')
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 2, crashes: 1 })
    })

    it('bull #308: a blocked event loop stalls a job, and both of its holders complete it', async () => {
      const clock = new TestClock()
      const frozen = new FrozenClock(clock)
      const blocked = await busy(await bench.open({ clock: frozen }), { name: 'blocked' })
      const store = await bench.open({ clock })
      const id = await store.producer(queue).enqueue(1)
      await passTime(clock, 'it to be held', () => blocked.begun.length === 1, 20)
      frozen.freeze()
      await clock.advance(LEASE_MS)
      const [taken] = await store.consumer(queue).dequeue({ lease: '1h' })
      expect(taken).toMatchObject({ id, crashes: 1 })
      frozen.thaw()
      blocked.gate.open()
      await eventually('the blocked one to learn of it', () => blocked.lost().length === 1)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'running', output: undefined })
      await taken?.archive('of the second')
      expect(await store.admin.messages.get(id)).toMatchObject({ output: 'of the second', claims: 2 })
    })

    it('bull #311: one token for all that a worker holds', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const [kept, lost] = await store.producer(queue).enqueueMany([1, 2])
      const held = await store.consumer(queue).dequeue({ limit: 2 })
      await clock.advance(LEASE_MS - 1)
      await held[0]!.extend('1h')
      await clock.advance(1)
      const [taken, ...others] = await (await bench.open({ clock })).consumer(queue).dequeue({ limit: 2 })
      expect([taken?.id, others]).toEqual([lost, []])
      await expect(held[1]!.archive('of the first')).rejects.toThrow(LeaseLostError)
      await held[0]!.archive('of the first')
      await taken?.archive('of the second')
      expect(await store.admin.messages.get(kept!)).toMatchObject({ output: 'of the first' })
      expect(await store.admin.messages.get(lost!)).toMatchObject({ output: 'of the second' })
    })
  })
}
