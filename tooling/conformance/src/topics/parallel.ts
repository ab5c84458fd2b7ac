import { describe, expect, it } from 'vitest'
import { defineWorkflow, type Run, type StepContext } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { finishes, Mortal, recordsStep } from '../mortal.js'
import { Obstacle, takenOver } from '../obstacle.js'
import { passTime } from '../pass-time.js'
import type { Target } from '../target.js'

/** Parallel branches: each finds its own way through a replay, and none loses what another has done. */
export function parallel(target: Target): void {
  describe('parallel branches', () => {
    const bench = useBench(target)

    it('replays the items of a map where they were, in the order of the items', async () => {
      const ran = new Map<string, number>()
      const note = ({ idempotencyKey }: StepContext): void => {
        ran.set(idempotencyKey, (ran.get(idempotencyKey) ?? 0) + 1)
      }
      const items = Array.from({ length: 12 }, (_, i) => i)
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('mapped', (run) =>
        run.map(
          'file',
          items,
          async (item, each, index) => {
            const read = await each.step('read', (context) => {
              note(context)
              return item * 10
            })
            // Some items are half done when the worker is stopped, some are done, some have not begun.
            if (item === 3) await each.step('obstacle', obstacle.body)
            const hashed = await each.step('hash', (context) => {
              note(context)
              return read + 1
            })
            return `${index}: ${hashed}`
          },
          { concurrency: 3 },
        ),
      )
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toEqual(items.map((i) => `${i}: ${i * 10 + 1}`))
      expect(ran.size).toBe(24)
      expect([...ran.values()].filter((times) => times > 1)).toEqual([])
    })

    it('runs at most as many items at once as it is told', async () => {
      const store = await bench.open()
      let active = 0
      let most = 0
      const workflow = defineWorkflow('bounded', (run) =>
        run.map(
          'item',
          Array.from({ length: 9 }, (_, i) => i),
          (_, each) =>
            each.step('work', async () => {
              most = Math.max(most, ++active)
              await eventually('the others to begin', () => most === 3)
              active--
            }),
          { concurrency: 3 },
        ),
      )
      await store.worker([workflow]).start()
      await (await store.trigger(workflow)).result()
      expect(most).toBe(3)
    })

    it('maps inside of maps, over nothing, and twice under one name', async () => {
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('nested', async (run) => {
        const first = await run.map('row', ['a', 'b'], (row, outer) =>
          outer.map('cell', [1, 2], (cell, inner) => inner.step('show', () => `${row}${cell}`)),
        )
        const none = await run.map('row', [], () => 'never')
        const again = await run.map('row', ['c'], (row, each) => each.step('show', () => row))
        await run.step('obstacle', obstacle.body)
        return { first, none, again }
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toEqual({
        first: [
          ['a1', 'a2'],
          ['b1', 'b2'],
        ],
        none: [],
        again: ['c'],
      })
      expect((await handle.steps()).map((step) => step.name).sort()).toEqual([
        'obstacle',
        'row#3[0]/show',
        'row[0]/cell[0]/show',
        'row[0]/cell[1]/show',
        'row[1]/cell[0]/show',
        'row[1]/cell[1]/show',
      ])
    })

    it('replays parallel branches of several steps, again and again', async () => {
      const clock = new TestClock()
      const ran: string[] = []
      const branch = async (run: Run, name: string): Promise<string> => {
        let text = ''
        for (const n of [1, 2, 3]) {
          text += await run.step(`${name}${n}`, async ({ idempotencyKey }) => {
            ran.push(idempotencyKey)
            // In every execution another branch is ahead.
            await new Promise((resolve) => setTimeout(resolve, (ran.length * 7) % 5))
            return `${name}${n} `
          })
        }
        return text
      }
      const workflow = defineWorkflow('branches', { maxCrashes: 100, lease: '5s' }, async (run) =>
        (await Promise.all(['x', 'y', 'z'].map((name) => branch(run, name)))).join(''),
      )
      const handle = await (await bench.open({ clock })).trigger(workflow)
      // Each process dies when it has recorded a step, or one of each branch at the same time, and tells nobody.
      let deaths = 0
      for (; (await handle.peek()) === undefined; deaths++) {
        const mortal = new Mortal((statements) => (recordsStep(statements) ? 'dies after' : 'lives'))
        const store = await bench.open({ clock, wrapDriver: mortal.wrapDriver })
        await store.worker([workflow]).start()
        const ended = async (): Promise<boolean> => mortal.dead || (await handle.peek()) !== undefined
        await passTime(clock, `death ${deaths + 1}`, ended, 1000)
        await store.close()
      }
      expect(deaths).toBeGreaterThanOrEqual(3)
      expect(await handle.result()).toBe('x1 x2 x3 y1 y2 y3 z1 z2 z3 ')
      expect(new Set((await handle.steps()).map((step) => step.name)).size).toBe(9)
    })

    it('keeps the work of one branch while another sleeps for long', async () => {
      const clock = new TestClock()
      const store = await bench.open({ clock })
      const ran: string[] = []
      const statuses: string[] = []
      const workflow = defineWorkflow('uneven', async (run) => {
        const working = async (): Promise<void> => {
          for (const name of ['one', 'two', 'three']) {
            await run.step(name, async () => {
              ran.push(name)
              await new Promise((resolve) => setTimeout(resolve, 5))
            })
          }
        }
        await Promise.all([run.sleep('long', '1m'), working()])
        return ran.length
      })
      const onEvent = (event: { type: string }): void => {
        if (event.type === 'released') statuses.push(ran.join(' '))
      }
      await store.worker([workflow], { onEvent }).start()
      const handle = await store.trigger(workflow)
      await passTime(clock, 'the run to be put down', async () => (await handle.status()) === 'paused', 20)
      expect(ran).toEqual(['one', 'two', 'three'])
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 1000)
      expect(await handle.result()).toBe(3)
      // Given back once, when all of the work had been done.
      expect(statuses).toEqual(['one two three'])
    })

    it('does not put the run down while a branch is about to begin something new in a replay', async () => {
      const clock = new TestClock()
      const obstacle = new Obstacle()
      const ran: string[] = []
      const early: string[] = []
      const workflow = defineWorkflow('about_to_begin', async (run) => {
        const quick = async (): Promise<void> => {
          await run.step('b1', () => 1)
          await run.step('obstacle', obstacle.body)
          await run.step('b2', () => ran.push('b2'))
        }
        const steady = async (): Promise<void> => {
          for (const n of [1, 2, 3, 4, 5, 6]) await run.step(`c${n}`, () => n)
        }
        await Promise.all([run.sleep('long', '1m'), quick(), steady()])
      })
      const first = await bench.open({ clock })
      const worker = first.worker([workflow])
      await worker.start()
      const { id } = await first.trigger(workflow)
      await obstacle.reached
      await passTime(
        clock,
        'the other branch',
        async () => (await first.run(workflow, id).steps()).length === 8,
        1,
      )
      const stopping = worker.stop({ grace: 0 })
      await passTime(clock, 'the stop', () => worker.status === 'stopped', 100)
      await stopping
      const second = await bench.open({ clock })
      const onEvent = (event: { type: string }): void => {
        if (event.type === 'released') early.push(...ran)
      }
      await second.worker([workflow], { onEvent }).start()
      const handle = second.run(workflow, id)
      await passTime(clock, 'the run to be put down', async () => (await handle.status()) === 'paused', 20)
      expect(early).toEqual(['b2'])
      await passTime(clock, 'the end', async () => (await handle.peek()) !== undefined, 1000)
      expect(ran).toEqual(['b2'])
    })

    it('fails with the first item that fails, begins no other, and replays the same when it is caught', async () => {
      const obstacle = new Obstacle()
      const begun: number[][] = []
      const workflow = defineWorkflow('one_fails', async (run) => {
        const mine: number[] = []
        begun.push(mine)
        let said = 'nothing'
        try {
          await run.map(
            'item',
            [0, 1, 2, 3, 4, 5, 6, 7],
            async (item, each) => {
              mine.push(item)
              if (item === 0) {
                // Fails when others are done; in a replay at once.
                await each.step('fails', { retry: { maxAttempts: 1 } }, async () => {
                  await eventually('others to be done', () => mine.length > 4)
                  throw new Error('item 0')
                })
              }
              if (item === 4) await eventually('the map to have failed', () => said !== 'nothing')
              await each.step('first', () => item)
              await each.step('second', () => item)
            },
            { concurrency: 2 },
          )
        } catch (error) {
          said = (error as Error).message
        }
        const after = await run.step('compensate', () => `compensated ${said}`)
        await run.step('obstacle', obstacle.body)
        return after
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toBe('compensated item 0')
      expect(begun).toHaveLength(2)
      expect(begun[0]).toEqual([0, 1, 2, 3, 4])
    })

    it('lets a run end whose body did not wait for a branch, also in a replay', async () => {
      const clock = new TestClock()
      const mortal = new Mortal((statements) => (finishes(statements) ? 'dies before' : 'lives'))
      let rest = 0
      const workflow = defineWorkflow('raced', async (run) => {
        const slow = async (): Promise<void> => {
          for (const n of [1, 2, 3, 4, 5]) await run.step(`slow${n}`, () => rest++)
        }
        const fast = async (): Promise<string> => {
          const name = await run.step('fast', () => 'fast')
          // In a replay that is so from the beginning.
          await eventually('the other', () => rest === 5)
          return name
        }
        return Promise.race([fast(), slow().then(() => new Promise<string>(() => undefined))])
      })
      const dying = await bench.open({ clock, wrapDriver: mortal.wrapDriver })
      await dying.worker([workflow]).start()
      const { id } = await dying.trigger(workflow)
      await passTime(clock, 'the death at the end', () => mortal.dead, 5)
      const store = await bench.open({ clock })
      await store.worker([workflow]).start()
      const handle = store.run(workflow, id)
      await passTime(clock, 'the end', async () => ['success', 'error'].includes(await handle.status()))
      expect(await handle.result()).toBe('fast')
    })
  })
}
