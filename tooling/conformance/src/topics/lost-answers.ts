import { randomUUID } from 'node:crypto'
import {
  AmbiguousCommitError,
  NotFoundError,
  defineQueue,
  defineWorkflow,
  type LeasedMessage,
  type Store,
  type WorkflowDefinition,
} from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import { describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { interpose } from '../interpose.js'
import { LossyLine, type Loss, type Lossy } from '../lossy-line.js'
import type { Target } from '../target.js'
import { errorOf } from '../untouched-database.js'

const losses = ['request', 'answer'] as const satisfies readonly Loss[]
const queue = defineQueue<number>('lossy')

/** Connections that break in the middle of a call: it takes effect once, and the caller sees a success. */
export function lostAnswers(target: Target): void {
  describe.for(losses)('a lost %s', (loss) => {
    const bench = useBench(target)

    /** A store on a line that loses `what` when it is sent next. */
    async function losing(what: Lossy): Promise<{ store: Store; line: LossyLine }> {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      line.lose(what, loss)
      return { store, line }
    }

    async function all(store: Store): Promise<readonly { id: string; status: string }[]> {
      return (await store.admin.messages.list({ limit: 100 })).items
    }

    /** A message held through a line that then loses `what`. */
    async function holding(
      what: Lossy,
    ): Promise<{ store: Store; line: LossyLine; message: LeasedMessage<number>; id: string }> {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      const id = await store.producer(queue).enqueue(1)
      const [message] = await store.consumer(queue).dequeue()
      if (message === undefined) throw new Error('nothing was claimed')
      line.lose(what, loss)
      return { store, line, message, id }
    }

    it('of enqueue leaves one message', async () => {
      const { store, line } = await losing('enqueue')
      const id = await store.producer(queue).enqueue(1)
      expect(line.lost).toBe(true)
      expect(await all(store)).toMatchObject([{ id, status: 'queued' }])
    })

    it('of enqueue with a key that replaces leaves one message, the new one', async () => {
      const { store, line } = await losing('enqueue')
      const producer = store.producer(queue)
      const id = await producer.enqueue(1, { key: 'k', onConflict: 'replace' })
      expect(line.lost).toBe(true)
      line.lose('enqueue', loss)
      expect(await producer.enqueue(2, { key: 'k', onConflict: 'replace' })).toBe(id)
      expect(line.lost).toBe(true)
      expect(await all(store)).toMatchObject([{ id, payload: 2 }])
    })

    it('of enqueue with a key is no conflict with who replaces the message before it is sent again', async () => {
      const other = await bench.open()
      const line = new LossyLine()
      let replacing: Promise<string> | undefined
      const replaced = (driver: Driver): Driver =>
        interpose(driver, {
          execute: async (statements) => {
            const rows = await driver.execute(statements)
            if (statements.some((statement) => transitionOf(statement) === 'enqueue')) {
              replacing ??= other.producer(queue).enqueue(2, { key: 'k', onConflict: 'replace' })
              await replacing
            }
            return rows
          },
        })
      const store = await bench.open({ wrapDriver: (driver: Driver) => line.wrapDriver(replaced(driver)) })
      line.lose('enqueue', loss)
      const id = await store.producer(queue).enqueue(1, { key: 'k', onConflict: 'replace' })
      expect(line.lost).toBe(true)
      expect(await replacing).toBe(id)
      expect(await all(store)).toMatchObject([{ id, payload: 2 }])
    })

    it('of enqueue with a key that rejects is no conflict with itself', async () => {
      const { store, line } = await losing('enqueue')
      const id = await store.producer(queue).enqueue(1, { key: 'k', onConflict: 'reject' })
      expect(line.lost).toBe(true)
      expect(await all(store)).toMatchObject([{ id }])
    })

    it('of a batch leaves each of its messages once', async () => {
      const { store, line } = await losing('enqueue')
      const ids = await store.producer(queue).enqueueMany([1, 2, 3])
      expect(line.lost).toBe(true)
      expect((await all(store)).map((message) => message.id).sort()).toEqual([...ids].sort())
    })

    it('of calls that left together leaves each of their messages once', async () => {
      const { store, line } = await losing('enqueue')
      const producer = store.producer(queue)
      const ids = await Promise.all([1, 2, 3].map((n) => producer.enqueue(n)))
      expect(line.lost).toBe(true)
      expect((await all(store)).map((message) => message.id).sort()).toEqual([...ids].sort())
    })

    it('of a resume or a cancel of a run that is not there yet leaves open whether it takes effect', async () => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      const later = defineWorkflow('lossy_later', (run) => run.pause('answer'))
      const id = randomUUID()
      const handle = store.run(later, id)
      const calls = [
        ['signal', () => handle.resume('answer')],
        ['cancel', () => handle.cancel()],
      ] as const
      for (const [what, call] of calls) {
        await expect(call()).rejects.toThrow(NotFoundError)
        line.lose(what, loss)
        const error = await errorOf(what, call)
        expect(line.lost).toBe(true)
        expect(error).toBeInstanceOf(AmbiguousCommitError)
        expect((error as AmbiguousCommitError).ids).toEqual([id])
      }
    })

    it('of trigger with a key leaves one run', async () => {
      const { store, line } = await losing('enqueue')
      const workflow = defineWorkflow<number, number>('lossy_run', (_, n) => n)
      const { id } = await store.trigger(workflow, 1, { key: 'k' })
      expect(line.lost).toBe(true)
      expect((await store.trigger(workflow, 1, { key: 'k' })).id).toBe(id)
      expect(await all(store)).toMatchObject([{ id }])
    })

    it('of a claim hands out as many as were asked for, and counts nothing against them', async () => {
      const { store, line } = await losing('claim')
      const ids = await store.producer(queue).enqueueMany([1, 2, 3, 4, 5])
      const consumer = store.consumer(queue)
      const first = await consumer.dequeue({ limit: 2 })
      expect(line.lost).toBe(true)
      expect(first.map((message) => [message.payload, message.attempt, message.crashes])).toEqual([
        [1, 1, 0],
        [2, 1, 0],
      ])
      await consumer.archiveMany(first)
      const rest = await consumer.dequeue({ limit: 10 })
      expect(rest.map((message) => message.payload).sort()).toEqual([3, 4, 5])
      expect(rest.every((message) => message.attempt === 1 && message.crashes === 0)).toBe(true)
      await consumer.archiveMany(rest)
      for (const id of ids) {
        expect(await store.admin.messages.get(id)).toMatchObject({
          status: 'success',
          crashes: 0,
          failures: 0,
        })
      }
    })

    it('of a claim lets a worker hold no more than its concurrency, and handle each message once', async () => {
      const { store, line } = await losing('claim')
      const numbers = Array.from({ length: 20 }, (_, n) => n)
      await store.producer(queue).enqueueMany(numbers)
      const handled: number[] = []
      let active = 0
      let most = 0
      const worker = store.worker(
        [
          queue.handler(async ({ payload }) => {
            most = Math.max(most, ++active)
            await store.admin.queues.list()
            active--
            handled.push(payload)
          }),
        ],
        { concurrency: 3 },
      )
      await worker.start()
      await expect.poll(() => handled.length, { timeout: 20_000 }).toBe(numbers.length)
      await worker.stop()
      expect(line.lost).toBe(true)
      expect(handled.sort((a, b) => a - b)).toEqual(numbers)
      expect(most).toBeLessThanOrEqual(3)
    })

    it('of extend prolongs the lease from now, not twice', async () => {
      const { store, line, message, id } = await holding('extend')
      const before = message.leaseExpiresAt.getTime()
      await message.extend('10m')
      expect(line.lost).toBe(true)
      const prolonged = message.leaseExpiresAt.getTime() - before
      expect(prolonged).toBeGreaterThan(9 * 60_000)
      expect(prolonged).toBeLessThan(11 * 60_000)
      expect((await store.admin.messages.get(id)).visibleAt).toEqual(message.leaseExpiresAt)
    })

    it('of archive archives', async () => {
      const { store, line, message, id } = await holding('finish')
      await message.archive('done')
      expect(line.lost).toBe(true)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', output: 'done' })
      expect(await store.admin.queues.metrics(queue.name)).toMatchObject({ archived: 1 })
      await expect(message.archive()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    })

    it('of release gives back', async () => {
      const { store, line, message, id } = await holding('release')
      await message.release({ delay: '1h' })
      expect(line.lost).toBe(true)
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'queued', failures: 0, crashes: 0 })
      await expect(message.release()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    })

    it('of fail makes one dead letter and counts one failure', async () => {
      const { store, line, message, id } = await holding('finish')
      await message.fail(new Error('bad'))
      expect(line.lost).toBe(true)
      expect(await store.admin.dead.get(id)).toMatchObject({ failures: 1, error: { message: 'bad' } })
      expect(await store.admin.queues.metrics(queue.name)).toMatchObject({ dead: 1 })
    })

    it('of delete deletes', async () => {
      const { store, line, message } = await holding('delete')
      await message.delete()
      expect(line.lost).toBe(true)
      expect(await all(store)).toEqual([])
      await expect(message.delete()).rejects.toMatchObject({ code: 'LEASE_LOST' })
    })

    it('of cancel cancels, and says so', async () => {
      const { store, line } = await losing('cancel')
      const workflow = defineWorkflow('never_run', () => 1)
      const handle = await store.trigger(workflow)
      expect(await handle.cancel('no need')).toBe('cancelled')
      expect(line.lost).toBe(true)
      await expect(handle.result()).rejects.toThrow('no need')
      expect(await store.admin.queues.metrics('never_run')).toMatchObject({ archived: 1 })
    })

    it.for([
      ['the first step', 1],
      ['a step after others', 3],
    ] as const)('of the record of %s runs no body twice', async ([, which]) => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      const bodies: number[] = []
      const workflow = defineWorkflow<undefined, number[]>('steps', async (run) => {
        const values: number[] = []
        for (const n of [1, 2, 3, 4]) {
          values.push(
            await run.step(`step${n}`, () => {
              bodies.push(n)
              if (n === which) line.lose('record', loss)
              return n * 10
            }),
          )
        }
        return values
      })
      expect(await resultOf(store, workflow)).toEqual([10, 20, 30, 40])
      expect(line.lost).toBe(true)
      expect(bodies).toEqual([1, 2, 3, 4])
    })

    it('of the record of a step that had failed before gives what it returned', async () => {
      const line = new LossyLine()
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      let attempts = 0
      // Longer than a moment, so that the failure is recorded and the run put down.
      const retry = { maxAttempts: 2, backoff: 'fixed', delay: '1100ms' } as const
      const workflow = defineWorkflow<undefined, string>('retried', (run) =>
        run.step('shaky', { retry }, () => {
          attempts++
          if (attempts === 1) throw new Error('at first')
          line.lose('record', loss)
          return 'in the end'
        }),
      )
      expect(await resultOf(store, workflow)).toBe('in the end')
      expect(line.lost).toBe(true)
      expect(attempts).toBe(2)
    })

    it('of the record of a sleep sleeps once', async () => {
      const { store, line } = await losing('record')
      const workflow = defineWorkflow<undefined, string>('sleeper', async (run) => {
        await run.sleep('nap', 50)
        return run.step('wake', () => 'awake')
      })
      const { steps } = await finishedRun(store, workflow)
      expect(line.lost).toBe(true)
      expect(steps).toEqual(['nap', 'wake'])
    })

    it('of the end of a long sleep puts the run down once', async () => {
      const { store, line } = await losing('release')
      const workflow = defineWorkflow<undefined, string>('long_sleeper', async (run) => {
        await run.sleep('night', '1200ms')
        return 'morning'
      })
      const { id } = await finishedRun(store, workflow)
      expect(line.lost).toBe(true)
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 2, crashes: 0 })
    })

    it('of resume says that this call ended the pause', async () => {
      const workflow = defineWorkflow<undefined, unknown>('asking', (run) => run.pause('answer'))
      const { store, line } = await losing('signal')
      const handle = await store.trigger(workflow)
      expect(await handle.resume('answer', 'mine')).toBe(true)
      expect(line.lost).toBe(true)
      line.lose('signal', loss)
      expect(await handle.resume('answer', 'mine')).toBe(false)
      expect(line.lost).toBe(true)
      await store.worker([workflow]).start()
      expect(await handle.result({ timeout: '20s' })).toEqual({ resumed: true, value: 'mine' })
    })

    it('of COMMIT leaves the effects of a transactional step once', async () => {
      const { store, line } = await losing('commit')
      let bodies = 0
      const workflow = defineWorkflow<undefined, number>('committing', async (run) => {
        await run.step('before', () => 'recorded')
        const value = await run.transaction('book', async (tx) => {
          bodies++
          await bench.db.writeEffect(tx, 'booked')
          return 7
        })
        return run.step('after', () => value)
      })
      const { result, steps, id } = await finishedRun(store, workflow)
      expect(line.lost).toBe(true)
      expect(result).toBe(7)
      expect(bodies).toBe(loss === 'answer' ? 1 : 2)
      expect(steps).toEqual(['before', 'book', 'after'])
      expect(await bench.db.query('select name from effects')).toEqual([{ name: 'booked' }])
      expect(await store.admin.messages.get(id)).toMatchObject({ claims: 1, crashes: 0, failures: 0 })
    })

    it('of the completion of a run completes it once', async () => {
      const { store, line } = await losing('finish')
      const workflow = defineWorkflow<undefined, string>('completing', (run) =>
        run.step('only', () => 'result'),
      )
      const { result, id } = await finishedRun(store, workflow)
      expect(line.lost).toBe(true)
      expect(result).toBe('result')
      expect(await store.admin.messages.get(id)).toMatchObject({ status: 'success', claims: 1, crashes: 0 })
      expect(await store.admin.queues.metrics('completing')).toMatchObject({ archived: 1 })
    })
  })

  describe.for(losses)('a lost %s of install', (loss) => {
    const bench = useBench(target, { installed: false })

    it('installs', async () => {
      const line = new LossyLine()
      line.lose('install', loss)
      const store = await bench.open({ wrapDriver: line.wrapDriver })
      await store.admin.install()
      expect(line.lost).toBe(true)
      expect(await store.admin.verify()).toMatchObject({ ok: true })
    })
  })
}

type Inputless<Output> = WorkflowDefinition<undefined, Output>

async function resultOf<Output>(store: Store, workflow: Inputless<Output>): Promise<Output> {
  return (await finishedRun(store, workflow)).result
}

async function finishedRun<Output>(
  store: Store,
  workflow: Inputless<Output>,
): Promise<{ id: string; result: Output; steps: string[] }> {
  const handle = await store.trigger(workflow)
  const worker = store.worker([workflow])
  await worker.start()
  const result = await handle.result({ timeout: '20s' })
  await worker.stop()
  return { id: handle.id, result, steps: (await handle.steps()).map((step) => step.name) }
}
