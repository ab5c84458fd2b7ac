import { describe, expect, it } from 'vitest'
import { defineWorkflow } from '@pgqrs/core'
import { TestClock } from '@pgqrs/core/testing'
import { useBench } from '../bench.js'
import { Mortal, recordsStep, type Fate } from '../mortal.js'
import { passTime, untilSettled } from '../pass-time.js'
import { expected, perform, randomShape, seeded, transactionsIn } from '../random-shape.js'
import type { Target } from '../target.js'

/** Unchanged code of any shape, interrupted anywhere: it is never taken for changed, and does nothing twice. */
export function interrupted(target: Target): void {
  describe('interrupted runs', () => {
    const bench = useBench(target)

    for (let group = 0; group < 3; group++) {
      it(`end as if nothing had happened, whatever their shape: group ${group}`, async () => {
        for (let seed = group * 4; seed < group * 4 + 4; seed++) await surviveSeed(seed)
      })
    }

    async function surviveSeed(seed: number): Promise<void> {
      const random = seeded(seed)
      const shape = { kind: 'sequence', parts: [randomShape(random), randomShape(random)] } as const
      const ran: string[] = []
      const workflow = defineWorkflow(`random_${seed}`, { maxCrashes: 1000, lease: '5s' }, (run) =>
        perform(shape, run, bench.db, (key) => ran.push(key)),
      )
      const clock = new TestClock()
      const watching = await bench.open({ clock })
      const handle = await watching.trigger(workflow)
      const finished = async (): Promise<boolean> => ['success', 'error'].includes(await handle.status())
      for (let death = 0; death < 40 && !(await finished()); death++) {
        let left = random(4)
        const fate: Fate = random(2) === 0 ? 'dies before' : 'dies after'
        const mortal = new Mortal((statements) => (recordsStep(statements) && left-- === 0 ? fate : 'lives'))
        const before = new Set((await handle.steps()).map((step) => `${handle.id}/${step.name}`))
        ran.length = 0
        const store = await bench.open({ clock, wrapDriver: mortal.wrapDriver, pollInterval: '1s' })
        await store.worker([workflow], { concurrency: 3 }).start()
        await passTime(
          clock,
          `death ${death} of seed ${seed}`,
          async () => mortal.dead || (await finished()),
          1000,
        )
        // A step that failed because of the death may wait for its next attempt.
        await untilSettled(clock, 'the store to close', store.close(), 1000)
        expect(
          ran.filter((key) => before.has(key)),
          `seed ${seed}`,
        ).toEqual([])
      }
      expect(await handle.result(), `seed ${seed}`).toEqual(expected(shape))
      const effects = await bench.db.query(
        `select name from effects where name like '${handle.id} %' order by name`,
      )
      expect(effects.map((row) => String(row.name).split(' ')[1]).sort(), `seed ${seed}`).toEqual(
        transactionsIn(shape).sort(),
      )
      await watching.close()
    }
  })
}
