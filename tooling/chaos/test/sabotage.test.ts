import { check } from '@pgqrs/checker'
import { describe, expect, it } from 'vitest'
import { runChaos } from '../src/chaos.js'
import { readOptions } from '../src/options.js'
import { sabotages } from '../src/sabotage/all.js'

/** Invariants that a run violates. */
async function violated(args: readonly string[]): Promise<string[]> {
  const options = readOptions(args)
  if (options === undefined) throw new Error('there are no options')
  const { history } = await runChaos(options, () => undefined)
  return check(history)
    .verdicts.filter(({ outcome }) => outcome === 'violated')
    .map(({ id }) => id)
}

// Each breaks the engine in one way. A checker that does not see it proves nothing when it sees nothing elsewhere.
describe('sabotage', () => {
  for (const [name, { breaks, violates }] of Object.entries(sabotages)) {
    it(`${name}: ${breaks}`, { timeout: 120_000 }, async () => {
      expect(await violated(['--sabotage', name])).toEqual(expect.arrayContaining([...violates]))
    })
  }
})
