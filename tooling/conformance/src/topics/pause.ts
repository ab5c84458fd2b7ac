import { describe, expect, it } from 'vitest'
import { defineWorkflow, InvalidStateError, NotFoundError, type Resumed } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { Obstacle, takenOver } from '../obstacle.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Pauses: a run waits for somebody, and no word to it is lost. */
export function pause(target: Target): void {
  describe('pause', () => {
    const bench = useBench(target)
    const approval = defineWorkflow('approval', async (run) => {
      const before = await run.step('before', () => 'before')
      const answer = await run.pause<string>('approve')
      const after = await run.step('after', () => 'after')
      return { before, answer, after }
    })

    it('waits without a worker until somebody in any store resumes it', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const worker = store.worker([approval], { concurrency: 1 })
      await worker.start()
      const handle = await store.trigger(approval)
      await eventually('the run to pause', async () => (await handle.status()) === 'paused')
      await eventually('the slot to be free', () => worker.active === 0)
      expect(await other.run(approval, handle.id).resume('approve', 'yes')).toBe(true)
      expect(await handle.result()).toEqual({
        before: 'before',
        answer: { resumed: true, value: 'yes' },
        after: 'after',
      })
    })

    it('keeps a resume that comes before the pause is reached, even before the run begins', async () => {
      const store = await bench.open()
      const early = await store.trigger(approval)
      expect(await early.resume('approve', 'before it began')).toBe(true)
      await store.worker([approval]).start()
      expect(await early.result()).toMatchObject({
        answer: { resumed: true, value: 'before it began' },
        after: 'after',
      })

      let midway = (): void => undefined
      const resumed = new Promise<void>((resolve) => {
        midway = resolve
      })
      const busy = defineWorkflow('busy', async (run) => {
        await run.step('work', () => resumed)
        const first = await run.pause('first')
        const again = await run.step('between', () => 'between')
        const second = await run.pause('second', { timeout: '1h' })
        return [first, again, second]
      })
      await store.worker([busy]).start()
      const handle = await store.trigger(busy)
      await eventually('the step to run', async () => (await handle.status()) === 'running')
      await handle.resume('first', 1)
      await handle.resume('second', 2)
      midway()
      expect(await handle.result()).toEqual([
        { resumed: true, value: 1 },
        'between',
        { resumed: true, value: 2 },
      ])
    })

    it('counts the first resume only', async () => {
      const store = await bench.open()
      const handle = await store.trigger(approval)
      const told = await Promise.all([1, 2, 3, 4, 5].map((value) => handle.resume('approve', value)))
      expect(told.filter((first) => first)).toHaveLength(1)
      expect(await handle.resume('approve', 6)).toBe(false)
      await store.worker([approval]).start()
      expect(await handle.result()).toMatchObject({
        answer: { resumed: true, value: told.indexOf(true) + 1 },
      })
    })

    it('is over without a resume when its time is over, and stays so', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const obstacle = new Obstacle()
      const seen: unknown[] = []
      const workflow = defineWorkflow('impatient', async (run) => {
        seen.push(await run.pause('never', { timeout: '30s' }))
        await run.step('obstacle', obstacle.body)
      })
      const worker = store.worker([workflow])
      await worker.start()
      const handle = await store.trigger(workflow)
      const begun = clock.databaseNow()
      await passTime(clock, 'the run to pause', async () => (await handle.status()) === 'paused', 20)
      await clock.advance(begun + 29_000 - clock.databaseNow())
      expect(seen).toEqual([])
      await passTime(clock, 'the time to be over', () => seen.length === 1)
      expect(clock.databaseNow() - begun).toBeGreaterThanOrEqual(30_000)
      await obstacle.reached
      expect(await handle.resume('never', 'too late')).toBe(false)
      const stopping = worker.stop({ grace: 0 })
      await passTime(clock, 'the stop', () => worker.status === 'stopped')
      await stopping
      const second = await bench.open({ clock })
      await second.worker([workflow]).start()
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined)
      expect(seen).toEqual([{ resumed: false }, { resumed: false }])
    })

    it('brings any value that can be stored, and replays it', async () => {
      const obstacle = new Obstacle()
      const values = [
        undefined,
        null,
        new Date(5),
        7n,
        new Map([['a', new Set([1])]]),
        { a: [undefined, -0] },
      ]
      const seen: Resumed[][] = []
      const workflow = defineWorkflow('valued', async (run) => {
        const answers: Resumed[] = []
        for (const [i, value] of values.entries()) {
          await run.step('note', () => value)
          answers.push(await run.pause(`p${i}`))
        }
        seen.push(answers)
        await run.step('obstacle', obstacle.body)
      })
      const store = await bench.open()
      const resuming = eventually('the run', async () => (await store.admin.runs.list()).items[0]).then(
        async ({ id }) => {
          for (const [i, value] of values.entries()) await store.run(workflow, id).resume(`p${i}`, value)
        },
      )
      const handle = await takenOver(bench, workflow, obstacle)
      await resuming
      await handle.result()
      const wanted = values.map((value) => ({ resumed: true, value }))
      expect(seen).toStrictEqual([wanted, wanted])
    })

    it('never loses a resume that meets the moment at which the run is put down', async () => {
      const store = await bench.open()
      const other = await bench.open()
      const workflow = defineWorkflow('meeting', async (run) => {
        let sum = 0
        for (const n of [1, 2, 3]) {
          await run.step(`work${n}`, () => n)
          const answer = await run.pause<number>(`p${n}`)
          if (answer.resumed) sum += answer.value
        }
        return sum
      })
      await store.worker([workflow], { concurrency: 20 }).start()
      const meet = async (i: number): Promise<void> => {
        const handle = await store.trigger(workflow)
        const elsewhere = other.run(workflow, handle.id)
        for (const n of [1, 2, 3]) {
          await eventually(
            'the step before',
            async () => (await handle.steps()).some((s) => s.name === `work${n}`),
            {
              everyMs: 1,
            },
          )
          // Sooner or later by a few turns of the loop, so that each interleaving comes up.
          for (let turn = 0; turn < (i * 3 + n) % 12; turn++)
            await new Promise((resolve) => setImmediate(resolve))
          await (i % 2 === 0 ? handle : elsewhere).resume(`p${n}`, n)
        }
        expect(await handle.result({ timeout: '20s' })).toBe(6)
      }
      for (let round = 0; round < 4; round++) {
        await Promise.all(Array.from({ length: 15 }, (_, i) => meet(i)))
      }
    })

    it('does not put a run down for a pause while another branch works', async () => {
      const store = await bench.open()
      let finish = (): void => undefined
      const held = new Promise<void>((resolve) => {
        finish = resolve
      })
      const ran: string[] = []
      const workflow = defineWorkflow('half_paused', async (run) => {
        const working = run.step('work', async () => {
          ran.push('work')
          await held
        })
        const paused = run.pause('go').then(() => run.step('went', () => ran.push('went')))
        await Promise.all([working, paused])
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually('the step to run', () => ran.length === 1)
      await handle.resume('go')
      finish()
      await handle.result()
      expect(ran).toEqual(['work', 'went'])
    })

    it('hears a resume while another branch works on', async () => {
      const store = await bench.open()
      const other = await bench.open()
      let finish = (): void => undefined
      const held = new Promise<void>((resolve) => {
        finish = resolve
      })
      const workflow = defineWorkflow('listening', async (run) => {
        const working = run.step('work', () => held)
        const paused = run.pause('finish').then(() => {
          finish()
        })
        await Promise.all([working, paused])
        return 'finished by the resume'
      })
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually('the step to run', async () => (await handle.status()) === 'running')
      await other.run(workflow, handle.id).resume('finish')
      expect(await handle.result({ timeout: '15s' })).toBe('finished by the resume')
    })

    it('pauses in the items of a map, each under its own name', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('ballot', (run) =>
        run.map('voter', ['a', 'b', 'c'], async (name, each) => {
          const vote = await each.pause<string>('vote')
          return `${name} ${vote.resumed ? vote.value : 'abstains'}`
        }),
      )
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await eventually('the run to pause', async () => (await handle.status()) === 'paused')
      for (const i of [2, 0, 1]) await handle.resume(`voter[${i}]/vote`, `says ${i}`)
      expect(await handle.result()).toEqual(['a says 0', 'b says 1', 'c says 2'])
    })

    it('refuses to resume a run that has finished, or that does not exist', async () => {
      const store = await bench.open()
      const workflow = defineWorkflow('over', () => 'done')
      await store.worker([workflow]).start()
      const handle = await store.trigger(workflow)
      await handle.result()
      await expect(handle.resume('approve')).rejects.toThrow(InvalidStateError)
      const unknown = store.run(workflow, '01900000-0000-7000-8000-000000000000')
      await expect(unknown.resume('approve')).rejects.toThrow(NotFoundError)
    })
  })
}
