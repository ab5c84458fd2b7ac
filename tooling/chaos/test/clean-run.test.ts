import { check } from '@pgqrs/checker'
import { describe, expect, it } from 'vitest'
import { runChaos } from '../src/chaos.js'
import { everyStore } from '../src/faults/fault.js'
import { readOptions } from '../src/options.js'

// The faults every store has, for a moment; what only a longer run has the time for is `npm run chaos`.
const faults = ['kill-at-point', 'freeze', 'terminate', 'kill']

describe('a short run', () => {
  for (const store of everyStore) {
    it(`on ${store} breaks no promise`, { timeout: 120_000 }, async () => {
      const options = readOptions([
        '--store',
        store,
        '--seconds',
        '8',
        '--seed',
        '3',
        '--faults',
        faults.join(','),
      ])
      if (options === undefined) throw new Error('there are no options')
      const { history } = await runChaos(options, () => undefined)
      const { verdicts } = check(history)
      expect(verdicts.flatMap(({ id, violations }) => violations.map(({ says }) => `${id} ${says}`))).toEqual(
        [],
      )
      // It has looked at something.
      expect(verdicts.find(({ id }) => id === 'Q1')?.checked).toBeGreaterThan(20)
      expect(verdicts.find(({ id }) => id === 'W5')?.checked).toBeGreaterThan(5)
    })
  }
})
