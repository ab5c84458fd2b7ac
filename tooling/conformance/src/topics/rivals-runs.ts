import { describe, expect, it } from 'vitest'
import { defineWorkflow, InvalidArgumentError, type DriverTransaction, type WorkerEvent } from '@pgqrs/core'
import type { Clock } from '@pgqrs/core/driver'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { FrozenClock } from '../frozen-clock.js'
import { Gate } from '../gate.js'
import { LossyLine } from '../lossy-line.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

const LEASE_MS = 10_000

/** What went wrong elsewhere with runs and their steps. Each test has the name of the project and its thread. */
export function rivalsRuns(target: Target): void {
  describe('a rival’s bug, runs', () => {
    const bench = useBench(target)

    interface Holder {
      readonly gate: Gate
      readonly events: WorkerEvent[]
      readonly entered: () => number
      /** Waits until its worker has told this so often. */
      told(type: WorkerEvent['type'], times: number): Promise<unknown>
    }

    /**
     * Two workers in the same step of the same runs, in the same millisecond: the first has lost its leases and does
     * not know, the second holds the runs. Each records who it is.
     */
    async function twoInOneStep(runs: number) {
      const clock = new TestClock()
      const holder = async (who: string, of: Clock): Promise<Holder> => {
        const gate = new Gate()
        const events: WorkerEvent[] = []
        let entered = 0
        const workflow = defineWorkflow('contested', { lease: LEASE_MS }, async (run) => {
          const winner = await run.step('work', async () => {
            entered++
            await gate.passed
            return who
          })
          return [winner, await run.step('after', () => winner)]
        })
        const store = await bench.open({ clock: of })
        await store.worker([workflow], { concurrency: runs, onEvent: (e) => events.push(e) }).start()
        const told: Holder['told'] = (type, times) =>
          eventually(`${who}: ${type}`, () => events.filter((event) => event.type === type).length >= times)
        return { gate, events, entered: () => entered, told }
      }
      const store = await bench.open({ clock })
      const contested = defineWorkflow<undefined, string[]>('contested', () => [])
      const handles = []
      for (let i = 0; i < runs; i++) handles.push(await store.trigger(contested))
      // Without timers it neither renews its leases nor finds that they have lapsed.
      const frozen = new FrozenClock(clock)
      const first = await holder('first', frozen)
      await passTime(clock, 'the first in its steps', () => first.entered() === runs, 20)
      frozen.freeze()
      const second = await holder('second', clock)
      await passTime(clock, 'the second in its steps', () => second.entered() === runs, 500)
      return { clock, store, handles, first, second }
    }

    it('vercel/workflow #2039: two holders create one step twice', async () => {
      const { handles, first, second } = await twoInOneStep(8)
      first.gate.open()
      second.gate.open()
      await first.told('lease_lost', 8)
      await second.told('archived', 8)
      for (const handle of handles) {
        expect(await handle.result()).toEqual(['second', 'second'])
        expect((await handle.steps()).map(({ name, output }) => [name, output])).toEqual([
          ['work', 'second'],
          ['after', 'second'],
        ])
      }
    })

    it('DBOS-java #493: an executor knows its step by the millisecond, and two of them go on', async () => {
      const { clock, handles, first, second } = await twoInOneStep(1)
      const at = clock.databaseNow()
      first.gate.open()
      await first.told('lease_lost', 1)
      expect(first.events.filter(({ type }) => type === 'step_recorded')).toEqual([])
      second.gate.open()
      await second.told('archived', 1)
      expect(clock.databaseNow()).toBe(at)
      expect(await handles[0]!.result()).toEqual(['second', 'second'])
    })

    it('vercel/workflow #2331: a step is started after the run has completed', async () => {
      const { store, handles, first, second } = await twoInOneStep(1)
      const [handle] = handles
      second.gate.open()
      await second.told('archived', 1)
      const before = [await store.admin.messages.get(handle!.id), await handle!.steps()]
      first.gate.open()
      await first.told('lease_lost', 1)
      expect([await store.admin.messages.get(handle!.id), await handle!.steps()]).toEqual(before)
    })

    it('DBOS #716: the database goes away during recovery, and the runs are pending for ever', async () => {
      const clock = new TestClock()
      const dead = await bench.open({ clock })
      const workflow = defineWorkflow<undefined, string>('recovered', { lease: LEASE_MS }, (run) =>
        run.step('work', () => 'done'),
      )
      const handle = await dead.trigger(workflow)
      expect(await dead.consumer('recovered').dequeue({ lease: LEASE_MS })).toHaveLength(1)
      await clock.advance(LEASE_MS)

      const line = new LossyLine()
      const store = await bench.open({ clock, wrapDriver: line.wrapDriver, connectionTimeout: '500ms' })
      const troubles: unknown[] = []
      const onEvent = (event: WorkerEvent): void => {
        if (event.type === 'trouble') troubles.push(event.error)
      }
      line.loseAndGoDown('claim', 'answer')
      await store.worker([workflow], { onEvent }).start()
      await passTime(clock, 'the outage to be noticed', () => line.lost && troubles.length > 0)
      line.down = false
      await passTime(clock, 'the run to end', async () => (await handle.status()) === 'success', 500)
      expect(await handle.result()).toBe('done')
      expect(await handle.steps()).toHaveLength(1)
    })

    it('DBOS #759: a run without an id is executed again and again', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('ghost', () => 'executed')
      for (const id of ['', ' ', '\u0000']) {
        await expect(store.trigger(workflow, undefined, { id })).rejects.toThrow(InvalidArgumentError)
        await expect(store.trigger(workflow, undefined, { key: id.trim() && id })).rejects.toThrow(
          InvalidArgumentError,
        )
      }
      expect(await bench.db.query('select id from pgqrs_messages')).toEqual([])
    })

    it('Temporal #7600: what is left of a removed run keeps its successor from starting', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const workflow = defineWorkflow<number, number, DriverTransaction>('yearly', (run, year: number) =>
        run.step('close_the_books', () => year),
      )
      const start = async (): Promise<void> => {
        const retention = { archived: '1m' } as const
        await store.worker([workflow], { retention }).start()
      }
      await start()
      const first = await store.trigger(workflow, 2025, { key: 'books' })
      await passTime(clock, 'the first', async () => (await first.status()) === 'success')
      await passTime(
        clock,
        'the first to be removed',
        async () => (await store.admin.messages.list()).items.length === 0,
        20_000,
      )
      const second = await store.trigger(workflow, 2026, { key: 'books' })
      expect(second.id).not.toBe(first.id)
      await passTime(clock, 'the second', async () => (await second.status()) === 'success')
      expect(await second.result()).toBe(2026)
    })

    it('kestra #10326: NUL in a result or an error leaves the run running for ever', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('nul', { retry: { maxAttempts: 1 } }, async (run, throws: boolean) => {
        const text = await run.step('read', () => 'a\u0000b')
        const caught: unknown = await run
          .step('fail', { retry: { maxAttempts: 1 } }, () => {
            throw Object.assign(new Error('c\u0000d'), { code: 'E\u0000F' })
          })
          .catch((error: unknown) => error)
        if (throws) throw caught as Error
        return [text, (caught as Error).message]
      })
      await store.worker([workflow]).start()
      const good = await store.trigger(workflow, false)
      expect(await good.result({ timeout: '20s' })).toEqual(['a\u0000b', 'c\u0000d'])
      const bad = await store.trigger(workflow, true)
      await expect(bad.result({ timeout: '20s' })).rejects.toMatchObject({ cause: { message: 'c\u0000d' } })
      expect(await bad.status()).toBe('error')
    })
  })
}
