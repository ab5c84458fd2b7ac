import { describe, expect, it } from 'vitest'
import { AmbiguousCommitError, defineQueue, defineWorkflow, type Store, type Worker } from '@pgqrs/core'
import type { Driver, Statement } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { Gate } from '../gate.js'
import { interpose } from '../interpose.js'
import { LossyLine, type Loss } from '../lossy-line.js'
import { passTime, untilSettled } from '../pass-time.js'
import { StatementTape } from '../statement-tape.js'
import type { Target } from '../target.js'
import { errorOf } from '../untouched-database.js'

const WAIT = { timeout: 20_000 }
const losses = ['request', 'answer'] as const satisfies readonly Loss[]
const queue = defineQueue<number>('counter')

interface Waiting {
  readonly store: Store
  readonly worker: Worker
  readonly handled: readonly number[]
  readonly tape: StatementTape
  readonly clock: TestClock
}

/** Claims of workers that wait for work: an enqueue in the same process hands its messages over to them. */
export function standingClaims(target: Target): void {
  describe('a claim that stands while a worker waits', () => {
    const bench = useBench(target)

    /** A store whose worker waits for work, and goes on doing so: its clock stands still. */
    async function waiting(
      inner = (driver: Driver): Driver => driver,
      { concurrency = 10, connectionTimeout = '10s' } = {},
    ): Promise<Waiting> {
      const tape = new StatementTape()
      const clock = new TestClock()
      const wrapDriver = (driver: Driver): Driver => tape.wrapDriver(inner(driver))
      const store = await bench.open({ clock, wrapDriver, connectionTimeout })
      const handled: number[] = []
      const handler = queue.handler(({ payload }) => void handled.push(payload))
      const worker = store.worker([handler], { concurrency })
      const looks = tape.looks
      await worker.start()
      await eventually('the worker to wait', () => tape.looks > looks)
      tape.rewind()
      return { store, worker, handled, tape, clock }
    }

    async function ended(store: Store, count: number): Promise<void> {
      await eventually('all to end', async () => (await store.admin.metrics('counter')).archived === count)
    }

    it('hands a message over with the commit that brings it in', async () => {
      const { store, handled, tape } = await waiting()
      const id = await store.producer(queue).enqueue(1)
      await expect.poll(() => tape.statements, WAIT).toContain('finish')
      expect(tape.trips[0]).toEqual(['handOver'])
      expect(handled).toEqual([1])
      await ended(store, 1)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', failures: 0, crashes: 0 })
    })

    it('hands over what leaves together, each once, and no more than there are slots for', async () => {
      const granted = new Granted()
      const { store, handled } = await waiting(granted.wrapDriver, { concurrency: 3 })
      const numbers = Array.from({ length: 50 }, (_, n) => n)
      await Promise.all(numbers.map((n) => store.producer(queue).enqueue(n)))
      expect(granted.inTrips[0]).toBe(3)
      await ended(store, numbers.length)
      expect(handled.toSorted((a, b) => a - b)).toEqual(numbers)
    })

    it('takes messages of all priorities from one batch', async () => {
      const granted = new Granted()
      const { store } = await waiting(granted.wrapDriver)
      const priorities = [5, 0, 3]
      await Promise.all(priorities.map((priority) => store.producer(queue).enqueue(1, { priority })))
      expect(granted.inTrips).toEqual([3])
      await ended(store, 3)
    })

    it('takes nothing that has a key: its insert may have to wait for a transaction of the application', async () => {
      const { store, tape, handled } = await waiting()
      await store.producer(queue).enqueue(1, { key: 'one' })
      await ended(store, 1)
      expect(handled).toEqual([1])
      expect(tape.statements).toContain('enqueue')
      expect(tape.statements).not.toContain('handOver')
    })

    it('leaves what is not due yet, and what the application’s transaction brings in', async () => {
      const { store, tape, handled, clock } = await waiting()
      await store.producer(queue).enqueue(1, { delay: '1h' })
      await bench.db.inTransaction(async (tx) => {
        await store.producer(queue).enqueue(2, { tx })
      })
      expect(tape.statements).not.toContain('handOver')
      await passTime(clock, 'both to be handled', () => handled.length === 2, 60_000)
      expect(handled).toEqual([2, 1])
    })

    it('takes nothing from a queue that is paused', async () => {
      const { store, handled } = await waiting()
      await store.admin.queues.pause('counter')
      const id = await store.producer(queue).enqueue(1)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'queued' })
      expect(handled).toEqual([])
      await store.admin.queues.resume('counter')
      await ended(store, 1)
      expect(handled).toEqual([1])
    })

    it.for([0, 5])('lets go first what is due already, of priority %d', async (priority) => {
      const { store, handled } = await waiting(undefined, { concurrency: 1 })
      // On most databases the worker cannot hear of it: its clock stands still.
      const elsewhere = await bench.open()
      await elsewhere.producer(queue).enqueue(1, { priority })
      await store.producer(queue).enqueue(2)
      await ended(store, 2)
      expect(handled).toEqual([1, 2])
    })

    it('leaves what it took to others when its process dies', async () => {
      const dies = new Gate()
      const dead = (driver: Driver): Driver =>
        interpose(driver, {
          execute: async (statements) => {
            const rows = await driver.execute(statements)
            if (handsOver(statements)) await dies.passed
            return rows
          },
        })
      const { store, clock } = await waiting(dead)
      const enqueued = store.producer(queue).enqueue(1)
      const others: number[] = []
      const elsewhere = await bench.open({ clock })
      await elsewhere.worker([queue.handler(({ payload }) => void others.push(payload))]).start()
      await passTime(clock, 'another to handle it', () => others.length === 1, 1000)
      await ended(elsewhere, 1)
      dies.open()
      expect(await elsewhere.admin.messages.get(await enqueued)).toMatchObject({ crashes: 1, claims: 2 })
    })

    it('is not granted once the worker is suspended', async () => {
      const { store, worker, handled, tape } = await waiting()
      await store.admin.workers.suspend(worker.id)
      await eventually('the worker to hear of it', () => worker.status === 'suspended')
      const id = await store.producer(queue).enqueue(1)
      expect(tape.statements).not.toContain('handOver')
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'queued' })
      await store.admin.workers.resume(worker.id)
      await ended(store, 1)
      expect(handled).toEqual([1])
    })

    it.for(losses)('is made good when the %s is lost that carried it', async (loss) => {
      const line = new LossyLine()
      const { store, handled, clock } = await waiting(line.wrapDriver)
      line.lose('handOver', loss)
      const id = await untilSettled(clock, 'the enqueue', store.producer(queue).enqueue(1), 10)
      expect(line.lost).toBe(true)
      await ended(store, 1)
      expect(handled).toEqual([1])
      expect(await store.admin.messages.get(id)).toMatchObject({ failures: 0, crashes: 0 })
    })

    it('is made good when nobody knows whether the enqueue took effect that carried it', async () => {
      const line = new LossyLine()
      const { store, handled, clock } = await waiting(line.wrapDriver, { connectionTimeout: '300ms' })
      line.loseAndGoDown('handOver', 'answer')
      const enqueued = errorOf('enqueue', () => store.producer(queue).enqueue(1))
      expect(await untilSettled(clock, 'the enqueue to give up', enqueued, 10)).toBeInstanceOf(
        AmbiguousCommitError,
      )
      line.down = false
      await passTime(clock, 'the message to be handled', () => handled.length > 0, 10)
      await ended(store, 1)
      const [message] = (await store.admin.messages.list({ queue: 'counter' })).items
      expect(message).toMatchObject({ status: 'success', claims: 1, crashes: 0 })
    })

    it('does not keep the worker from its work when the enqueue that carried it fails', async () => {
      let breaks = false
      const failing = (driver: Driver): Driver =>
        interpose(driver, {
          execute: (statements) => {
            if (!breaks || !handsOver(statements)) return driver.execute(statements)
            breaks = false
            return Promise.reject(new Error('this one fails'))
          },
        })
      const { store, handled } = await waiting(failing)
      breaks = true
      const error = await errorOf('enqueue', () => store.producer(queue).enqueue(1))
      expect(error).not.toBeInstanceOf(AmbiguousCommitError)
      expect(breaks).toBe(false)
      await store.producer(queue).enqueue(2)
      await ended(store, 1)
      expect(handled).toEqual([2])
    })

    it('gives back what it brings to a worker that stops meanwhile', async () => {
      const gate = new Gate()
      const held = new Gate()
      let holds = false
      const holding = (driver: Driver): Driver =>
        interpose(driver, {
          execute: async (statements) => {
            const rows = await driver.execute(statements)
            if (holds && handsOver(statements)) {
              holds = false
              held.open()
              await gate.passed
            }
            return rows
          },
        })
      const { store, worker, handled } = await waiting(holding)
      holds = true
      const enqueued = store.producer(queue).enqueue(1)
      await held.passed
      const stopped = worker.stop()
      gate.open()
      const [id] = await Promise.all([enqueued, stopped])
      expect(handled).toEqual([])
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'queued', failures: 0, crashes: 0 })
    })

    it('begins a run with the commit that triggers it, and its result is told without another look', async () => {
      let looks = 0
      const watching = (driver: Driver): Driver =>
        interpose(driver, {
          execute: (statements) => {
            looks += statements.filter((statement) => transitionOf(statement) === 'outcomes').length
            return driver.execute(statements)
          },
        })
      const gate = new Gate()
      const store = await bench.open({ clock: new TestClock(), wrapDriver: watching })
      const workflow = defineWorkflow<number, number>('doubling', async (run, n) => {
        await gate.passed
        return run.step('double', () => 2 * n)
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow, 21)
      const result = handle.result()
      await eventually('the first look', () => looks > 0)
      gate.open()
      expect(await result).toBe(42)
      expect(looks).toBe(1)
    })
  })
}

/** For `wrapDriver`: how many messages each trip has handed over. */
class Granted {
  readonly inTrips: number[] = []

  readonly wrapDriver = (driver: Driver): Driver =>
    interpose(driver, {
      execute: async (statements) => {
        const rows = await driver.execute(statements)
        const given = rows.filter((_, i) => statements.slice(i, i + 1).some(isHandOver)).flat()
        if (given.length > 0) this.inTrips.push(given.filter((row) => row['lease_id'] !== null).length)
        return rows
      },
    })
}

function isHandOver(statement: Statement): boolean {
  return transitionOf(statement) === 'handOver'
}

function handsOver(statements: readonly Statement[]): boolean {
  return statements.some(isHandOver)
}
