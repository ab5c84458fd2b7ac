import { describe, expect, it } from 'vitest'
import { defineQueue, TerminalError, type LeasedMessage, type Store, type WorkerEvent } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Gate } from '../gate.js'
import { CutLine } from '../cut-line.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** What went wrong elsewhere with those who work. Each test has the name of the project and its thread. */
export function rivalsWorkers(target: Target): void {
  describe('a rival’s bug, workers', () => {
    const bench = useBench(target)
    const queue = defineQueue<number>('jobs', { lease: '1h' })

    /** A worker that holds a message and has lost its way to the database for so long that its work was reclaimed. */
    async function late(): Promise<{
      clock: TestClock
      other: Store
      id: string
      worker: string
      events: WorkerEvent[]
      comeBack: () => void
    }> {
      const clock = new TestClock()
      const line = new CutLine()
      const store = await bench.open({ clock, wrapDriver: line.wrapDriver })
      const other = await bench.open({ clock })
      const gate = new Gate()
      const events: WorkerEvent[] = []
      const handler = queue.handler(async () => {
        await gate.passed
        return 'late'
      })
      const worker = store.worker([handler], { onEvent: (event) => events.push(event) })
      await worker.start()
      const id = await other.producer(queue).enqueue(1)
      await passTime(clock, 'it to be held', () => worker.active === 1, 20)
      line.cut()
      await clock.advance(60_000)
      expect(await other.admin.workers.reclaim({ silentFor: '30s' })).toBe(1)
      const comeBack = (): void => {
        line.mend()
        gate.open()
      }
      return { clock, other, id, worker: worker.id, events, comeBack }
    }

    it('solid_queue #589: a live but late process is pruned, and its job is both finished and failed', async () => {
      const { other, id, events, comeBack } = await late()
      const [taken] = (await other.consumer(queue).dequeue()) as [LeasedMessage<number>]
      expect(taken).toMatchObject({ id, crashes: 1 })
      comeBack()
      await eventually('the late one to learn of it', () => events.some(({ type }) => type === 'lease_lost'))
      await taken.fail(new TerminalError('the second holder says no'))
      expect(await other.admin.messages.get(id)).toMatchObject({
        status: 'error',
        error: { message: 'the second holder says no' },
      })
      expect(await other.admin.metrics('jobs')).toMatchObject({ archived: 0, dead: 1 })
    })

    it('procrastinate #1518: the row of a worker is pruned, and its jobs are doing for ever', async () => {
      const { clock, other, id, worker, events, comeBack } = await late()
      await bench.db.query(`delete from pgqrs_workers where id = '${worker}'`)
      const [taken] = await other.consumer(queue).dequeue({ lease: '10s' })
      expect(taken).toMatchObject({ id, crashes: 1 })
      await bench.db.query('delete from pgqrs_workers')
      await clock.advance(10_000)
      const [again] = await other.consumer(queue).dequeue()
      expect(again).toMatchObject({ id, crashes: 2 })
      comeBack()
      await eventually('the late one to learn of it', () => events.some(({ type }) => type === 'lease_lost'))
    })

    it('Hatchet #4494: what ends in an unusual way keeps its slot', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const other = await bench.open({ clock })
      const odd = defineQueue<string>('odd', { lease: '1h', timeout: '1s', retry: { maxAttempts: 1 } })
      const plain = defineQueue<number>('plain')
      const started: string[] = []
      const strange = odd.handler(({ payload }): unknown => {
        started.push(payload)
        if (payload === 'throws') throw new Error('no')
        return payload === 'cannot be stored' ? () => undefined : new Promise(() => undefined)
      })
      const gate = new Gate()
      let together = 0
      const normal = plain.handler(async () => {
        together++
        await gate.passed
      })
      const worker = store.worker([strange, normal], { concurrency: 2 })
      await worker.start()
      for (const way of ['throws', 'cannot be stored', 'never ends', 'is cancelled', 'is taken away']) {
        const id = await other.producer(odd).enqueue(way)
        await passTime(clock, `one that ${way}`, () => started.includes(way), 20)
        if (way === 'is cancelled') await other.admin.messages.cancel(id)
        if (way === 'is taken away') await bench.db.query(`delete from pgqrs_messages where id = '${id}'`)
        await passTime(clock, `the slot of one that ${way}`, () => worker.active === 0, 500)
      }
      await other.producer(plain).enqueueMany([1, 2])
      await passTime(clock, 'both slots', () => together === 2, 20)
      gate.open()
      await passTime(clock, 'the end', async () => (await other.admin.metrics('plain')).archived === 2, 20)
    })
  })
}
