import { defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { bringTo, Obstacle } from '../obstacle.js'
import { StatementTape } from '../statement-tape.js'
import type { Target } from '../target.js'

const WAIT = { timeout: 20_000 }

/** What each thing costs in trips to the database, on a store with nothing else to do: speed that a test can pin. */
export function roundTrips(target: Target): void {
  describe('trips to the database', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('parcels')

    /** A store whose clock stands still, so that nobody polls. */
    async function still(): Promise<{ store: Store; tape: StatementTape }> {
      const tape = new StatementTape()
      return { store: await bench.open({ clock: new TestClock(), wrapDriver: tape.wrapDriver }), tape }
    }

    /** Starts a worker and waits until it has found nothing to do. */
    async function waitingWorker(
      store: Store,
      tape: StatementTape,
      work: Parameters<Store['worker']>[0],
    ): Promise<void> {
      const { looks } = tape
      await store.worker(work).start()
      await eventually('the worker to wait', () => tape.looks > looks)
      tape.rewind()
    }

    it.for([
      [0, 0],
      [3, 6],
      [10, 55],
    ] as const)(
      'are k + 2 for a run of %i steps that is triggered where a worker waits',
      async ([k, total]) => {
        const { store, tape } = await still()
        const workflow = defineWorkflow<number, number>('counted', async (run, n) => {
          let sum = 0
          for (let i = 0; i < n; i++) sum += await run.step('add', () => i + 1)
          return sum
        })
        await waitingWorker(store, tape, [workflow])
        const { id } = await store.trigger(workflow, k)
        await expect.poll(() => tape.statements, WAIT).toContain('finish')
        expect(tape.trips).toEqual([['handOver'], ...Array.from({ length: k }, () => ['record']), ['finish']])
        expect(await store.run(workflow, id).result()).toBe(total)
      },
    )

    it('are k + 3 for a run of k steps that is triggered elsewhere', async () => {
      const tape = new StatementTape()
      const store = await bench.open({ wrapDriver: tape.wrapDriver })
      const workflow = defineWorkflow('far', async (run) => {
        await run.step('one', () => 1)
        await run.step('two', () => 2)
      })
      await store.worker([workflow]).start()
      tape.rewind()
      const other = await bench.open()
      await other.trigger(workflow)
      await expect.poll(() => tape.statements, WAIT).toContain('finish')
      expect(tape.trips).toEqual([['claim'], ['record'], ['record'], ['finish']])
    })

    it('are as many when one of the steps is a transaction', async () => {
      const { store, tape } = await still()
      const workflow = defineWorkflow('booking', async (run) => {
        await run.step('before', () => 1)
        await run.transaction('book', (tx) => void bench.db.writeEffect(tx, 'booked'))
      })
      await waitingWorker(store, tape, [workflow])
      await store.trigger(workflow)
      await expect.poll(() => tape.statements, WAIT).toContain('finish')
      expect(tape.trips).toEqual([['handOver'], ['record'], ['transaction'], ['finish']])
    })

    it('are none for a recorded step of a run that goes on elsewhere', async () => {
      const steps = Array.from({ length: 20 }, (_, n) => n)
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('resumed', async (run) => {
        for (const n of steps) await run.step(`step${n}`, () => n)
        await run.step('last', obstacle.body)
      })
      await bringTo(obstacle, bench, workflow)
      const tape = new StatementTape()
      const other = await bench.open({ wrapDriver: tape.wrapDriver })
      await other.worker([workflow]).start()
      await expect.poll(() => tape.statements, WAIT).toContain('finish')
      const from = tape.trips.findIndex(([first]) => first === 'claim')
      expect(tape.trips.slice(from)).toEqual([['claim'], ['record'], ['finish']])
    })

    it('are two for a message that is enqueued where a worker waits', async () => {
      const { store, tape } = await still()
      await waitingWorker(store, tape, [queue.handler(() => undefined)])
      await store.producer(queue).enqueue(1)
      await expect.poll(() => tape.statements, WAIT).toContain('finish')
      expect(tape.trips).toEqual([['handOver'], ['finish']])
    })

    it.for([
      [1000, 1],
      [2500, 3],
    ] as const)('are few for %i messages enqueued side by side: %i', async ([calls, flushes]) => {
      const tape = new StatementTape()
      const store = await bench.open({ wrapDriver: tape.wrapDriver })
      const producer = store.producer(queue)
      await producer.enqueue(0)
      tape.rewind()
      const ids = await Promise.all(Array.from({ length: calls }, (_, n) => producer.enqueue(n)))
      expect(new Set(ids).size).toBe(calls)
      expect(tape.trips.length).toBe(flushes)
      expect(new Set(tape.statements)).toEqual(new Set(['enqueue']))
      expect(await store.admin.metrics(queue.name)).toMatchObject({ ready: calls + 1 })
    })
  })
}
