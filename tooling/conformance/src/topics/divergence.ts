import { describe, expect, it } from 'vitest'
import { defineWorkflow, ReplayDivergedError, RunFailedError, type Run } from '@pgqrs/core'
import { eventually } from '@pgqrs/test-database'
import { useBench } from '../bench.js'
import { bringTo, Obstacle, takenOver } from '../obstacle.js'
import type { Target } from '../target.js'

type Body = (run: Run, ran: string[]) => Promise<unknown>

/** Changed code: refused with the difference before anything new happens; code that fits finishes the run. */
export function divergence(target: Target): void {
  describe('changed code', () => {
    const bench = useBench(target)
    let obstacle = new Obstacle()

    const original: Body = async (run, ran) => {
      const a = await run.step('a', () => ran.push('a'))
      await run.transaction('write', (tx) => {
        bench.db.writeEffect(tx, 'original')
      })
      const each = await run.map('item', [1, 2], async (item, one) => {
        await one.step('read', () => ran.push(`read ${item}`))
        return one.step('hash', () => ran.push(`hash ${item}`))
      })
      await run.step('obstacle', obstacle.body)
      await run.step('last', () => ran.push('last'))
      return [a, ...each]
    }
    const recorded = ['a', 'write', 'item[0]/read', 'item[0]/hash', 'item[1]/read', 'item[1]/hash'].sort()

    const changes: Record<string, { body: Body; names: string[] }> = {
      'a step is gone': {
        body: async (run, ran) => {
          await run.transaction('write', () => undefined)
          await items(run, ran, ['read', 'hash'])
          await run.step('last', () => ran.push('effect'))
        },
        names: ['last', '- a (step)'],
      },
      'a step was put before the recorded ones': {
        body: async (run, ran) => {
          await run.step('new', () => ran.push('effect'))
          await original(run, ran)
        },
        names: ['new', '- a (step)', '  write (transaction)'],
      },
      'a step has another name': {
        body: async (run, ran) => {
          await run.step('renamed', () => ran.push('effect'))
        },
        names: ['renamed', '- a (step)'],
      },
      'a transaction was put before the recorded ones': {
        body: async (run, ran) => {
          await run.transaction('new', (tx) => bench.db.writeEffect(tx, 'effect'))
          await original(run, ran)
        },
        names: ['new', '- a (step)'],
      },
      'a sleep was put before the recorded ones': {
        body: async (run, ran) => {
          await run.sleep('new', '1h')
          await original(run, ran)
        },
        names: ['new', '- a (step)'],
      },
      'a step has become a transaction': {
        body: async (run) => {
          await run.transaction('a', (tx) => bench.db.writeEffect(tx, 'effect'))
        },
        names: ['a is a transaction in the code', 'recorded as a step'],
      },
      'a transaction has become a pause': {
        body: async (run, ran) => {
          await run.step('a', () => ran.push('effect'))
          await run.pause('write')
        },
        names: ['write is a pause in the code', 'recorded as a transaction'],
      },
      'the code returns too early': {
        body: async (run, ran) => {
          await run.step('a', () => ran.push('effect'))
          return 'early'
        },
        names: ['returns', '- write (transaction)'],
      },
      'an item has lost a step': {
        body: async (run, ran) => {
          await run.step('a', () => ran.push('effect'))
          await run.transaction('write', () => undefined)
          await items(run, ran, ['hash'])
          await run.step('last', () => ran.push('effect'))
        },
        names: ['item[0]/read'],
      },
      'the items have become fewer': {
        body: async (run, ran) => {
          await run.step('a', () => ran.push('effect'))
          await run.transaction('write', () => undefined)
          await run.map('item', [1], async (_, one) => {
            await one.step('read', () => ran.push('effect'))
            await one.step('hash', () => ran.push('effect'))
          })
          return 'fewer'
        },
        names: ['item[1]/read'],
      },
      'the difference is caught and passed over': {
        body: async (run, ran) => {
          await run.step('new', () => ran.push('effect')).catch(() => undefined)
          await run.step('newer', () => ran.push('effect')).catch(() => undefined)
          return 'as if nothing had happened'
        },
        names: ['new', '- a (step)'],
      },
    }

    for (const [what, change] of Object.entries(changes)) {
      it(`is refused before any effect when ${what}, and code that fits finishes the run`, async () => {
        obstacle = new Obstacle()
        const ran: string[] = []
        const fitting = defineWorkflow('changing', (run) => original(run, ran))
        const changed = defineWorkflow('changing', (run) => change.body(run, ran))
        const id = await bringTo(obstacle, bench, fitting)
        const store = await bench.open()
        const handle = store.run(fitting, id)
        const worker = store.worker([changed])
        await worker.start()
        const error = await handle.result().catch((e: unknown) => e)
        await worker.stop()
        expect(error).toBeInstanceOf(RunFailedError)
        const { cause } = error as RunFailedError
        expect(cause).toBeInstanceOf(ReplayDivergedError)
        for (const name of change.names) expect((cause as Error).message).toContain(name)
        expect(ran.sort()).toEqual(['a', 'hash 1', 'hash 2', 'read 1', 'read 2'])
        expect(await bench.db.query('select name from effects')).toEqual([{ name: 'original' }])
        expect((await handle.steps()).map((step) => step.name).sort()).toEqual(recorded)

        await store.admin.runs.retry(id)
        await store.worker([fitting]).start()
        expect(await handle.result()).toHaveLength(3)
        expect(ran.filter((name) => name === 'last')).toHaveLength(1)
        expect(await bench.db.query('select name from effects')).toEqual([{ name: 'original' }])
      })
    }

    it('is refused in one of several branches, before it has any effect there', async () => {
      obstacle = new Obstacle()
      const ran: string[] = []
      const branches = (more: (run: Run) => Promise<unknown>) =>
        defineWorkflow('branching', async (run) => {
          let done = false
          const other = run
            .step('other', () => 'other')
            .then(() => {
              done = true
            })
          const branch = async (): Promise<void> => {
            await more(run)
            await run.step('b1', () => eventually('the other branch', () => done).then(() => ran.push('b1')))
            await run.step('b2', () => ran.push('b2'))
          }
          await Promise.all([other, branch()])
          await run.step('obstacle', obstacle.body)
        })
      const id = await bringTo(
        obstacle,
        bench,
        branches(() => Promise.resolve()),
      )
      const store = await bench.open()
      const changed = branches((run) => run.step('new', () => ran.push('effect')))
      await store.worker([changed]).start()
      const error = await store
        .run(changed, id)
        .result()
        .catch((e: unknown) => e)
      expect((error as RunFailedError).cause).toBeInstanceOf(ReplayDivergedError)
      expect(ran).toEqual(['b1', 'b2'])
    })

    it('is accepted when it only adds what comes after everything recorded', async () => {
      obstacle = new Obstacle()
      const ran: string[] = []
      const before = defineWorkflow('growing', async (run) => {
        await run.step('a', () => ran.push('a'))
        await run.step('obstacle', obstacle.body)
        return 'before'
      })
      const after = defineWorkflow('growing', async (run) => {
        await run.step('a', () => ran.push('a'))
        await run.step('inserted', () => ran.push('inserted'))
        await run.step('obstacle', obstacle.body)
        return 'after'
      })
      const id = await bringTo(obstacle, bench, before)
      const store = await bench.open()
      await store.worker([after]).start()
      expect(await store.run(after, id).result()).toBe('after')
      expect(ran).toEqual(['a', 'inserted'])
    })

    it('is not what code is taken for that waits for something of its own between its steps', async () => {
      obstacle = new Obstacle()
      const ran: string[] = []
      const workflow = defineWorkflow('thinking', async (run) => {
        const thinking = async (): Promise<void> => {
          for (const n of [1, 2, 3, 4]) {
            await run.step(`thought${n}`, () => ran.push(`thought${n}`))
            await new Promise((resolve) => setTimeout(resolve, 15))
          }
        }
        const acting = async (): Promise<void> => {
          await run.step('act', () => 'acted')
          await eventually('the thoughts', () => ran.includes('thought4'))
          await run.step('obstacle', obstacle.body)
        }
        await Promise.all([thinking(), acting()])
        return ran.length
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toBeGreaterThanOrEqual(4)
      expect(ran.filter((name) => name === 'thought3')).toHaveLength(1)
    })
  })
}

function items(run: Run, ran: string[], steps: readonly string[]): Promise<unknown> {
  return run.map('item', [1, 2], async (_, one) => {
    for (const name of steps) await one.step(name, () => ran.push('effect'))
  })
}
