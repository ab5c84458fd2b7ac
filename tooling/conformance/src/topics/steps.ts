import { describe, expect, it } from 'vitest'
import { defineWorkflow, DuplicateStepError, TerminalError } from '@pgqrs/core'
import { useBench } from '../bench.js'
import { transitionOf } from '../crash-points.js'
import { intercept } from '../intercept.js'
import { bringTo, Obstacle, takenOver } from '../obstacle.js'
import type { Target } from '../target.js'

/** Steps: recorded once, replayed as they were, named by their names, keys and order. */
export function steps(target: Target): void {
  describe('steps', () => {
    const bench = useBench(target)

    it('runs each body once and replays what was recorded without running it', async () => {
      const obstacle = new Obstacle()
      const ran: string[] = []
      let passes = 0
      const workflow = defineWorkflow('replayed', async (run) => {
        passes++
        const a = await run.step('a', () => ran.push('a'))
        const b = await run.step('b', () => ran.push('b'))
        await run.step('obstacle', obstacle.body)
        const c = await run.step('c', () => ran.push('c'))
        return [a, b, c]
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toEqual([1, 2, 3])
      expect(ran).toEqual(['a', 'b', 'c'])
      expect(passes).toBe(2)
      expect((await handle.steps()).map(({ name, kind, status }) => `${name} ${kind} ${status}`)).toEqual([
        'a step success',
        'b step success',
        'obstacle step success',
        'c step success',
      ])
    })

    it('replays 500 steps without asking the database for any of them', async () => {
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('long', async (run) => {
        const values = await run.map(
          'many',
          Array.from({ length: 500 }, (_, n) => n),
          (n, item) => item.step('work', () => n),
        )
        await run.step('obstacle', obstacle.body)
        return values.length
      })
      const id = await bringTo(obstacle, bench, workflow)
      const onSteps: (string | undefined)[] = []
      const wrapDriver = intercept((statements, next) => {
        onSteps.push(...statements.filter(({ sql }) => sql.includes('pgqrs_steps')).map(transitionOf))
        return next(statements)
      })
      const store = await bench.open({ wrapDriver })
      await store.worker([workflow]).start()
      expect(await store.run(workflow, id).result()).toBe(500)
      // The claim brings them all along.
      expect(onSteps.filter((what) => what !== 'claim')).toEqual(['record'])
    })

    it('numbers a name that is used again, and tells keys apart', async () => {
      const obstacle = new Obstacle()
      const workflow = defineWorkflow('numbered', async (run) => {
        const seen: string[] = []
        for (const text of ['first', 'second', 'third']) seen.push(await run.step('say', () => text))
        seen.push(
          ...(await Promise.all(
            ['x', 'y', 'a/b[1]#2%', '日本'].map((key) => run.step('keyed', { key }, () => `key ${key}`)),
          )),
        )
        seen.push(await run.step('keyed', { key: 'x' }, () => 'x again'))
        await run.step('obstacle', obstacle.body)
        return seen
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toEqual([
        ...['first', 'second', 'third', 'key x', 'key y', 'key a/b[1]#2%', 'key 日本', 'x again'],
      ])
      const names = (await handle.steps()).map((step) => step.name)
      expect(names.slice(0, 3)).toEqual(['say', 'say#2', 'say#3'])
      expect(names).toContain('keyed[x]')
      expect(names).toContain('keyed[x]#2')
      expect(new Set(names).size).toBe(names.length)
    })

    it('refuses a name whose step is in flight when no key tells them apart, live and replayed', async () => {
      const obstacle = new Obstacle()
      const refused: unknown[] = []
      const workflow = defineWorkflow('duplicate', async (run) => {
        const [first, second] = await Promise.allSettled([
          run.step('same', () => 'first'),
          run.step('same', () => 'second'),
        ])
        refused.push(second.status === 'rejected' ? second.reason : 'accepted')
        await run.step('obstacle', obstacle.body)
        return first.status === 'fulfilled' ? first.value : 'refused'
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toBe('first')
      expect(refused).toHaveLength(2)
      for (const error of refused) {
        expect(error).toBeInstanceOf(DuplicateStepError)
        expect(String(error)).toContain('"same"')
      }
    })

    const results: Record<string, () => unknown> = {
      undefined: () => undefined,
      null: () => null,
      'an empty text': () => '',
      'text with NUL, quotes and a lone surrogate': () => 'a\0b"c\'d\\e\ud800',
      NaN: () => NaN,
      'negative zero': () => -0,
      infinities: () => [Infinity, -Infinity],
      'a bigint': () => 2n ** 80n,
      'a Date': () => new Date(1_234_567_890_123),
      'an invalid Date': () => new Date(NaN),
      'a Map': () =>
        new Map<unknown, unknown>([
          [1, { a: new Date(0) }],
          ['k', new Map([[2n, undefined]])],
        ]),
      'a Set': () => new Set([1, 'a', 3n]),
      bytes: () => new Uint8Array([0, 1, 255]),
      'a Buffer': () => Buffer.from('abc'),
      'an undefined property': () => ({ a: undefined, b: [undefined, null] }),
      'keys that look like tags': () => ({ $date: 'x', nested: { $map: [] } }),
      'an object without a prototype': () => Object.assign(Object.create(null) as object, { a: 1 }),
      'an own key __proto__': () => JSON.parse('{"__proto__":{"a":1}}') as unknown,
    }

    it('gives the caller live what a replay gives: the same values and the same classes', async () => {
      const obstacle = new Obstacle()
      const passes: unknown[][] = []
      const workflow = defineWorkflow('values', async (run) => {
        const seen: unknown[] = []
        for (const make of Object.values(results)) seen.push(await run.step('value', make))
        passes.push(seen)
        await run.step('obstacle', obstacle.body)
        return seen
      })
      const handle = await takenOver(bench, workflow, obstacle)
      const outside = await handle.result()
      const made = Object.values(results).map((make) => make())
      expect(passes).toHaveLength(2)
      Object.keys(results).forEach((what, i) => {
        for (const seen of [...passes, outside]) {
          expect(seen[i], what).toStrictEqual(made[i])
          expect(classesOf(seen[i]), what).toEqual(classesOf(made[i]))
        }
      })
    })

    it('hands out a copy: what the body keeps and changes is not what was recorded', async () => {
      const obstacle = new Obstacle()
      const kept = { n: 1 }
      const seen: number[] = []
      const workflow = defineWorkflow('copied', async (run) => {
        const got = await run.step('give', () => kept)
        kept.n = 99
        seen.push(got.n)
        await run.step('obstacle', obstacle.body)
        return got
      })
      const handle = await takenOver(bench, workflow, obstacle)
      expect(await handle.result()).toEqual({ n: 1 })
      expect(seen).toEqual([1, 1])
    })

    it('refuses a result that would not come back as it is, once, and with the same error in a replay', async () => {
      class Money {
        constructor(readonly cents: number) {}
      }
      const cycle: { self?: unknown } = {}
      cycle.self = cycle
      const unstorable: Record<string, () => unknown> = {
        instance: () => ({ total: new Money(5) }),
        function: () => [() => 1],
        symbol: () => Symbol('s'),
        cycle: () => cycle,
      }
      const obstacle = new Obstacle()
      const ran: string[] = []
      const passes: unknown[][] = []
      const workflow = defineWorkflow('unstorable', async (run) => {
        const errors: unknown[] = []
        for (const [name, make] of Object.entries(unstorable)) {
          const body = (): unknown => {
            ran.push(name)
            return make()
          }
          errors.push(
            await run.step(name, { retry: { maxAttempts: 5, delay: 1 } }, body).catch((e: unknown) => e),
          )
        }
        passes.push(errors)
        await run.step('obstacle', obstacle.body)
      })
      const handle = await takenOver(bench, workflow, obstacle)
      await handle.result()
      expect(ran).toEqual(Object.keys(unstorable))
      const [live, replayed] = passes
      Object.keys(unstorable).forEach((name, i) => {
        expect(live?.[i], name).toBeInstanceOf(TerminalError)
        expect(live?.[i], name).toMatchObject({
          code: 'UNSERIALIZABLE',
          message: expect.stringContaining(name),
        })
        expect(replayed?.[i], name).toBeInstanceOf(TerminalError)
        expect(replayed?.[i], name).toStrictEqual(live?.[i])
      })
      expect(live?.[0]).toMatchObject({ message: expect.stringContaining('$.total') })
    })

    it('refuses results over the size limit of the workflow, of a step and of the run', async () => {
      const store = await bench.open()
      const options = { limits: { maxBytes: 100 } }
      const tooBig = (): string => 'x'.repeat(200)
      let attempts = 0
      const ofStep = defineWorkflow('big_step', options, async (run) => {
        await run.step('big', () => {
          attempts++
          return tooBig()
        })
        return 'not reached'
      })
      const ofRun = defineWorkflow('big_run', options, tooBig)
      await store.worker([ofStep, ofRun]).start()
      for (const workflow of [ofStep, ofRun]) {
        const handle = await store.trigger(workflow)
        await expect(handle.result()).rejects.toMatchObject({
          code: 'RUN_FAILED',
          cause: { code: 'INVALID_PAYLOAD', message: expect.stringContaining('maxBytes') },
        })
      }
      expect(attempts).toBe(1)
    })

    it('demands the required keys of the input, not of what steps return', async () => {
      const store = await bench.open()
      const options = { limits: { requiredKeys: ['tenant'] } }
      const workflow = defineWorkflow('tenanted', options, (run, input: { tenant: string }) =>
        run.step('name', () => `of ${input.tenant}`),
      )
      await store.worker([workflow]).start()
      expect(await (await store.trigger(workflow, { tenant: 'a' })).result()).toBe('of a')
    })
  })
}

function classesOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [typeof value]
  const prototype = Object.getPrototypeOf(value) as { constructor: { name: string } } | null
  const inside = value instanceof Map || value instanceof Set ? [...value] : Object.values(value)
  return [prototype?.constructor.name, ...(ArrayBuffer.isView(value) ? [] : inside.map(classesOf))]
}
