import { check } from '@pgqrs/checker'
import { describe, expect, it } from 'vitest'
import { runChaos } from '../src/chaos.js'
import { everyStore, type Fault } from '../src/faults/fault.js'
import { injected } from '../src/injected.js'
import { readOptions } from '../src/options.js'

// The faults every store has, for a moment; what only a longer run has the time for is `npm run chaos`.
const faults = ['kill-at-point', 'freeze', 'terminate', 'kill']

const impossible: Fault = {
  name: 'comet',
  stores: everyStore,
  strikes: 'database',
  lastsMs: 100,
  missing: () => 'none can be had here',
  strike: () => Promise.reject(new Error('it was to be left out')),
}

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
      const all = { ...options, faults: [...options.faults, impossible] }
      const { history, leftOut } = await runChaos(all, () => undefined)
      const { verdicts } = check(history)
      expect(verdicts.flatMap(({ id, violations }) => violations.map(({ says }) => `${id} ${says}`))).toEqual(
        [],
      )
      // It has looked at something.
      expect(verdicts.find(({ id }) => id === 'Q1')?.checked).toBeGreaterThan(20)
      expect(verdicts.find(({ id }) => id === 'W5')?.checked).toBeGreaterThan(5)
      expect(leftOut).toEqual([{ what: 'comet', reason: 'none can be had here' }])
      expect(injected(history)[1]).toMatch(/^faults injected: [1-9]\d* \(/)
      expect(injected(history).join()).not.toContain('comet')
    })
  }
})
