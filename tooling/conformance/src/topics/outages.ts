import { AmbiguousCommitError, ConnectionError, defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { describe, expect, it } from 'vitest'
import { useBench, type Bench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { interpose } from '../interpose.js'
import { LossyLine, type Loss } from '../lossy-line.js'
import type { Target } from '../target.js'
import { errorOf } from '../untouched-database.js'

const losses = ['request', 'answer'] as const satisfies readonly Loss[]
const queue = defineQueue<number>('outage')

/** Outages that last longer than a call waits: the caller learns what is certain and what is not. */
export function outages(target: Target): void {
  describe('an outage longer than the connection timeout', () => {
    const bench = useBench(target)

    it.for(losses)(
      'that began with a lost %s leaves the fate of a message open, which a repeat settles',
      async (loss) => {
        const { store, line } = await lossyStore(bench)
        const producer = store.producer(queue)
        line.loseAndGoDown('enqueue', loss)
        const error = await errorOf('enqueue', () => producer.enqueue(1))
        expect(error).toBeInstanceOf(AmbiguousCommitError)
        const [id, ...others] = (error as AmbiguousCommitError).ids
        expect(others).toEqual([])
        line.down = false
        const there = loss === 'answer' ? [id] : []
        expect(await idsOf(store)).toEqual(there)
        expect(await producer.enqueue(1, { id: id as string })).toBe(id)
        expect(await idsOf(store)).toEqual([id])
      },
    )

    it.for(losses)('that began with a lost %s leaves the fate of a batch open, all of it', async (loss) => {
      const { store, line } = await lossyStore(bench)
      const producer = store.producer(queue)
      line.loseAndGoDown('enqueue', loss)
      const error = await errorOf('enqueueMany', () => producer.enqueueMany([1, 2, 3]))
      expect(error).toBeInstanceOf(AmbiguousCommitError)
      const { ids } = error as AmbiguousCommitError
      line.down = false
      expect(await idsOf(store)).toEqual(loss === 'answer' ? [...ids].sort() : [])
      await producer.enqueueMany([1, 2, 3], { each: (_, i) => ({ id: ids[i] as string }) })
      expect(await idsOf(store)).toEqual([...ids].sort())
    })

    it('that hides what stood in the way of a message leaves its fate open: it may be the message itself', async () => {
      const { store, line } = await lossyStore(bench)
      const producer = store.producer(queue)
      const id = await producer.enqueue(1)
      const repeats = [
        () => producer.enqueue(1, { id }),
        () => producer.enqueueMany([1], { each: () => ({ id }) }),
      ]
      for (const repeat of repeats) {
        line.loseAndGoDown('get', 'request')
        const error = await errorOf('enqueue', repeat)
        expect(error).toBeInstanceOf(AmbiguousCommitError)
        expect((error as AmbiguousCommitError).ids).toEqual([id])
        line.down = false
      }
      expect(await idsOf(store)).toEqual([id])
    })

    it('that begins between the recording of a resume and the waking of its run leaves the resume open', async () => {
      const line = new LossyLine()
      const goesDown = (driver: Driver): Driver =>
        interpose(driver, {
          execute: async (statements) => {
            const rows = await driver.execute(statements)
            if (statements.some((statement) => transitionOf(statement) === 'signal')) line.down = true
            return rows
          },
        })
      const store = await bench.open({
        connectionTimeout: '100ms',
        wrapDriver: (driver: Driver) => line.wrapDriver(goesDown(driver)),
      })
      const workflow = defineWorkflow('asks', (run) => run.pause('answer'))
      const handle = await store.trigger(workflow, undefined)
      const error = await errorOf('resume', () => handle.resume('answer', 'yes'))
      expect(error).toBeInstanceOf(AmbiguousCommitError)
      expect((error as AmbiguousCommitError).ids).toEqual([handle.id])
      line.down = false
      expect(await handle.steps()).toMatchObject([{ name: 'answer' }])
    })

    it('in which nothing could be sent is a connection error, and nothing was enqueued', async () => {
      const { store, line } = await lossyStore(bench)
      line.down = true
      const error = await errorOf('enqueue', () => store.producer(queue).enqueue(1))
      expect(error).toBeInstanceOf(ConnectionError)
      line.down = false
      expect(await idsOf(store)).toEqual([])
    })

    it('is not what any value means that somebody may throw', async () => {
      let driver: Driver | undefined
      await bench.open({ wrapDriver: (given: Driver) => (driver = given) })
      const values = [
        undefined,
        null,
        'a text',
        7,
        Symbol('s'),
        {},
        Object.create(null),
        new Error('no code'),
        () => 1,
      ]
      for (const value of values) expect(driver?.classify(value)).toEqual({ kind: 'other' })
    })

    it('is never ambiguous for a call that only reads', async () => {
      const { store, line } = await lossyStore(bench)
      const id = await store.producer(queue).enqueue(1)
      line.loseAndGoDown('get', 'answer')
      const error = await errorOf('get', () => store.admin.messages.get(id))
      expect(line.lost).toBe(true)
      expect(error).toBeInstanceOf(ConnectionError)
    })

    it('is waited out by a worker, which then goes on', async () => {
      const { store, line } = await lossyStore(bench)
      const handled: number[] = []
      const troubles: unknown[] = []
      const worker = store.worker([queue.handler(({ payload }) => handled.push(payload))], {
        onEvent: (event) => {
          if (event.type === 'trouble') troubles.push(event.error)
        },
      })
      await worker.start()
      line.down = true
      await expect.poll(() => troubles.length, { timeout: 20_000 }).toBeGreaterThan(0)
      line.down = false
      await store.producer(queue).enqueue(1)
      await expect.poll(() => handled, { timeout: 20_000 }).toEqual([1])
      await worker.stop()
    })
  })
}

/** A store that knows its queue already, so that what is lost next is what the test wants lost. */
async function lossyStore(bench: Bench): Promise<{ store: Store; line: LossyLine }> {
  const line = new LossyLine()
  const store = await bench.open({ wrapDriver: line.wrapDriver, connectionTimeout: '500ms' })
  const first = await store.producer(queue).enqueue(0)
  const [message] = await store.consumer(queue).dequeue()
  await message?.delete()
  expect(message?.id).toBe(first)
  return { store, line }
}

async function idsOf(store: Store): Promise<string[]> {
  return (await store.admin.messages.list({ queue: queue.name, limit: 100 })).items.map(({ id }) => id).sort()
}
