import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, KeyConflictError } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** A run is a message on the queue of its workflow: what a message can, it can. */
export function asMessages(target: Target): void {
  describe('a run as a message', () => {
    const bench = useBench(target)

    it('comes into being delayed, or at a time, and is not early', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const begun = new Map<string, number>()
      const workflow = defineWorkflow('delayed', (_, name: string) => {
        begun.set(name, clock.databaseNow())
      })
      const from = clock.databaseNow()
      await store.trigger(workflow, 'delay', { delay: '10s' })
      await store.trigger(workflow, 'at', { at: new Date(from + 20_000) })
      await store.worker([workflow]).start()
      expect(await store.admin.metrics('delayed')).toMatchObject({ kind: 'workflow', delayed: 2, ready: 0 })
      await passTime(clock, 'both', () => begun.size === 2)
      expect(begun.get('delay')! - from).toBeGreaterThanOrEqual(10_000)
      expect(begun.get('at')! - from).toBeGreaterThanOrEqual(20_000)
    })

    it('is begun by priority, then in the order of triggering', async () => {
      const store = await bench.open()
      const begun: string[] = []
      const workflow = defineWorkflow('ordered', (run, name: string) =>
        run.step('begin', () => begun.push(name)),
      )
      await store.trigger(workflow, 'low', { priority: -1 })
      await store.trigger(workflow, 'first')
      await store.trigger(workflow, 'second')
      const last = await store.trigger(workflow, 'high', { priority: 5 })
      expect(await store.admin.runs.get(last.id)).toMatchObject({
        priority: 5,
        status: 'queued',
        queue: 'ordered',
      })
      await store.worker([workflow], { concurrency: 1 }).start()
      await eventually('all of them', () => begun.length === 4)
      expect(begun).toEqual(['high', 'first', 'second', 'low'])
    })

    it('is a dead letter when it fails, and is replayed from there with its checkpoints', async () => {
      const store = await bench.open()
      let broken = true
      const ran: string[] = []
      const workflow = defineWorkflow('dying', { stepRetry: { maxAttempts: 1 } }, async (run) => {
        await run.step('kept', () => ran.push('kept'))
        await run.step('broken', () => {
          ran.push('broken')
          if (broken) throw new RangeError('out of range')
        })
        return 'alive'
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await handle.result().catch(() => undefined)
      const { items } = await store.admin.dead.list({ queue: 'dying' })
      expect(items).toMatchObject([
        { id: handle.id, status: 'error', failures: 1, error: { name: 'RangeError' } },
      ])
      expect(await store.admin.metrics('dying')).toMatchObject({ dead: 1, archived: 0 })
      broken = false
      await store.admin.dead.replay(handle.id)
      expect(await handle.result()).toBe('alive')
      expect(ran).toEqual(['kept', 'broken', 'broken'])
      expect(await store.admin.metrics('dying')).toMatchObject({ dead: 0, archived: 1 })
      expect((await store.admin.dead.list({ queue: 'dying' })).items).toEqual([])
    })

    it('is counted with the messages of its queue: ready, held, paused, finished', async () => {
      const store = await bench.open()
      let goOn = (): void => undefined
      const held = new Promise<void>((resolve) => {
        goOn = resolve
      })
      const workflow = defineWorkflow('counted', async (run, kind: string) => {
        if (kind === 'paused') await run.pause('go')
        if (kind === 'held') await run.step('hold', () => held)
      })
      const count = (): Promise<unknown> => store.admin.metrics('counted')
      const kinds = ['paused', 'held', 'done', 'cancelled']
      const handles = await Promise.all(kinds.map((kind) => store.trigger(workflow, kind)))
      expect(await count()).toMatchObject({ ready: 4, leased: 0, paused: 0, archived: 0 })
      await handles[3]!.cancel()
      await store.worker([workflow]).start()
      await handles[2]!.result()
      await eventually('the run to pause', async () => (await handles[0]!.status()) === 'paused')
      expect(await count()).toMatchObject({
        ready: 0,
        delayed: 0,
        leased: 1,
        paused: 1,
        archived: 2,
        dead: 0,
      })
      goOn()
      await handles[0]!.resume('go')
      await Promise.all([handles[0]!.result(), handles[1]!.result()])
      expect(await count()).toMatchObject({ ready: 0, leased: 0, paused: 0, archived: 4, dead: 0 })
      expect(await store.admin.stats()).toMatchObject({ workflows: 1, archived: 4 })
    })

    it('may come from a plain producer on the queue of the workflow', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('open_to_all', async (run, input: { n: number }) => {
        const doubled = await run.step('double', () => input.n * 2)
        await run.sleep('nap', 1)
        return doubled
      })
      const producer = store.producer(defineQueue<{ n: number }>('open_to_all'))
      const early = await producer.enqueue({ n: 4 })
      await store.worker([workflow]).start()
      const [late] = await producer.enqueueMany([{ n: 5 }])
      expect(await store.run(workflow, early).result()).toBe(8)
      expect(await store.run(workflow, late!).result()).toBe(10)
      expect(await store.run(workflow, early).steps()).toHaveLength(2)
      const runs = await store.admin.runs.list({ workflow: 'open_to_all' })
      expect(runs.items.map((run) => run.id).sort()).toEqual([early, late].sort())
    })

    it('waits while its queue is paused, and goes on when it is resumed', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('halted', () => 'done')
      const blocked = await store.trigger(workflow)
      await store.admin.queues.pause('halted')
      const witness = defineWorkflow('witness', () => 'seen')
      await store.worker([workflow, witness]).start()
      await (await store.trigger(witness)).result()
      expect(await blocked.status()).toBe('queued')
      await store.admin.queues.resume('halted')
      expect(await blocked.result()).toBe('done')
    })

    it('holds its key for as long as it is kept', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('keyed', (_, input: number) => input)
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow, 1, { key: 'k' })
      await handle.result()
      expect(await store.admin.runs.get(handle.id)).toMatchObject({ key: 'k', payload: 1, output: 1 })
      await expect(store.trigger(workflow, 2, { key: 'k' })).rejects.toThrow(KeyConflictError)
      await store.admin.queues.purge('keyed', 'archived')
      const next = await store.trigger(workflow, 2, { key: 'k' })
      expect(next.id).not.toBe(handle.id)
      expect(await next.result()).toBe(2)
      await expect(handle.status()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}
