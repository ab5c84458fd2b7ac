import { defineQueue, defineWorkflow, type LeasedMessage, type Store } from '@pgqrs/core'
import { describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { LossyLine, type Loss, type Lossy } from '../lossy-line.js'
import type { Target } from '../target.js'

const losses = ['request', 'answer'] as const satisfies readonly Loss[]
const queue = defineQueue<number>('side_by_side')
const MANY = 20
const numbers = Array.from({ length: MANY }, (_, n) => n)

/** Connections that break under calls that left together: for each of them it takes effect once. */
export function lostFlushes(target: Target): void {
  describe.for(losses)('a lost %s of calls that left together', (loss) => {
    const bench = useBench(target)

    async function opened(): Promise<{ store: Store; line: LossyLine }> {
      const line = new LossyLine()
      return { store: await bench.open({ wrapDriver: line.wrapDriver }), line }
    }

    /** Messages held through a line that then loses `what`. */
    async function holding(
      what: Lossy,
    ): Promise<{ store: Store; line: LossyLine; held: LeasedMessage<number>[] }> {
      const { store, line } = await opened()
      await store.producer(queue).enqueueMany(numbers)
      const held = await store.consumer(queue).dequeue({ limit: MANY, lease: '30s' })
      expect(held).toHaveLength(MANY)
      line.lose(what, loss)
      return { store, line, held }
    }

    async function payloads(store: Store): Promise<unknown[]> {
      const { items } = await store.admin.messages.list({ limit: 1000 })
      return items.map((message) => message.payload).sort((a, b) => Number(a) - Number(b))
    }

    it.for([
      ['without keys', () => false],
      ['with keys', () => true],
      ['with and without keys', (n: number) => n % 2 === 0],
    ] as const)('enqueues each once: %s', async ([, keyed]) => {
      const { store, line } = await opened()
      const producer = store.producer(queue)
      await producer.enqueue(-1)
      line.lose('enqueue', loss)
      const ids = await Promise.all(
        numbers.map((n) => producer.enqueue(n, keyed(n) ? { key: `key ${n}`, onConflict: 'reject' } : {})),
      )
      expect(line.lost).toBe(true)
      expect(new Set(ids).size).toBe(MANY)
      expect(await payloads(store)).toEqual([-1, ...numbers])
    })

    it('enqueues each once: batches', async () => {
      const { store, line } = await opened()
      const producer = store.producer(queue)
      line.lose('enqueue', loss)
      const each = (n: number): { key?: string } => (n % 3 === 0 ? { key: `key ${n}` } : {})
      const batches = await Promise.all(
        [0, 100, 200].map((from) =>
          producer.enqueueMany(
            numbers.map((n) => from + n),
            { each },
          ),
        ),
      )
      expect(line.lost).toBe(true)
      expect(new Set(batches.flat()).size).toBe(3 * MANY)
      expect(await payloads(store)).toEqual([0, 100, 200].flatMap((from) => numbers.map((n) => from + n)))
    })

    it('records each step once', async () => {
      const { store, line } = await opened()
      const bodies: number[] = []
      const workflow = defineWorkflow<undefined, number[]>('wide', (run) => {
        line.lose('record', loss)
        return run.map('each', numbers, (n, item) => item.step('double', () => bodies.push(n) && 2 * n))
      })
      const worker = store.worker([workflow])
      await worker.start()
      const handle = await store.trigger(workflow)
      expect(await handle.result({ timeout: '20s' })).toEqual(numbers.map((n) => 2 * n))
      expect(line.lost).toBe(true)
      expect(bodies.sort((a, b) => a - b)).toEqual(numbers)
      const steps = (await handle.steps()).map((step) => step.name)
      expect(steps.sort()).toEqual(numbers.map((n) => `each[${n}]/double`).sort())
      expect(await store.admin.messages.get(handle.id)).toMatchObject({ claims: 1, crashes: 0, failures: 0 })
    })

    it('finishes each once', async () => {
      const { store, line, held } = await holding('finish')
      await Promise.all(
        held.map((message) =>
          message.payload % 2 === 0 ? message.archive('done') : message.fail(new Error('bad')),
        ),
      )
      expect(line.lost).toBe(true)
      expect(await store.admin.metrics(queue.name)).toMatchObject({
        archived: MANY / 2,
        dead: MANY / 2,
        leased: 0,
      })
      for (const { id, payload } of held) {
        const even = payload % 2 === 0
        expect(await store.admin.messages.get(id)).toMatchObject(
          even ? { status: 'success', output: 'done', failures: 0 } : { status: 'error', failures: 1 },
        )
      }
    })

    it('gives each back once', async () => {
      const { store, line, held } = await holding('release')
      await Promise.all(held.map((message) => message.release()))
      expect(line.lost).toBe(true)
      const again = await store.consumer(queue).dequeue({ limit: 2 * MANY })
      expect(again.map((message) => message.payload).sort((a, b) => a - b)).toEqual(numbers)
      for (const { id } of held) {
        expect(await store.admin.messages.get(id)).toMatchObject({ claims: 2, failures: 0, crashes: 0 })
      }
    })

    it('prolongs each lease from now, not twice', async () => {
      const { store, line, held } = await holding('extend')
      const before = held.map((message) => message.leaseExpiresAt.getTime())
      await Promise.all(held.map((message) => message.extend('10m')))
      expect(line.lost).toBe(true)
      for (const [i, { id, leaseExpiresAt }] of held.entries()) {
        const prolonged = leaseExpiresAt.getTime() - before[i]!
        expect(prolonged).toBeGreaterThan(9 * 60_000)
        expect(prolonged).toBeLessThan(11 * 60_000)
        expect((await store.admin.messages.get(id)).visibleAt).toEqual(leaseExpiresAt)
      }
    })

    it.for(['finish', 'release', 'extend', 'delete'] as const)(
      'does to each what was asked of it when they are of several kinds, and %s is what is lost',
      async (what) => {
        const { store, line, held } = await holding(what)
        const does: ((message: LeasedMessage<number>) => Promise<unknown>)[] = [
          (message) => message.archive(),
          (message) => message.release({ delay: '1h' }),
          (message) => message.extend('10m'),
          (message) => message.delete(),
        ]
        await Promise.all(held.map((message) => does[message.payload % does.length]!(message)))
        expect(line.lost).toBe(true)
        const each = MANY / does.length
        expect(await store.admin.metrics(queue.name)).toMatchObject({
          archived: each,
          delayed: each,
          leased: each,
          ready: 0,
          dead: 0,
        })
        expect(await payloads(store)).toEqual(numbers.filter((n) => n % does.length !== 3))
      },
    )
  })
}
