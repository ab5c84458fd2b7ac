import { describe, expect, it } from 'vitest'
import { summaryOf, withoutCounts } from '../summary.mjs'

const lint = { name: 'lint', result: 'passed', seconds: 3.21, ...withoutCounts(true) }
const tests = {
  name: 'tests',
  result: 'passed',
  seconds: 100,
  passed: 20,
  failed: 0,
  skipped: [],
  says: 'tests passed: 20',
}
const chaos = {
  name: 'chaos',
  result: 'passed',
  seconds: 200,
  passed: 37,
  failed: 0,
  skipped: ['sqlite: disk-full: no root'],
  says: 'invariants held: sqlite 37',
}

describe('the last lines of the gate', () => {
  it('have a row for each step with what it says', () => {
    expect(summaryOf([lint, tests])).toEqual([
      'step      result    seconds',
      'lint      passed        3.2',
      'tests     passed      100.0  tests passed: 20',
      '',
      '20 passed, 0 failed',
    ])
  })

  it('leave room for long names', () => {
    const [head, , row] = summaryOf([lint, { ...chaos, name: 'simulation' }])
    expect(head).toBe('step        result    seconds')
    expect(row).toMatch(/^simulation {2}passed /)
  })

  it('add up the counts, and name what was skipped', () => {
    const skipping = { ...tests, skipped: ['[turso] a.test.ts > b: no network'] }
    expect(summaryOf([skipping, chaos]).slice(-6)).toEqual([
      '',
      'Skipped: 2',
      '  tests: [turso] a.test.ts > b: no network',
      '  chaos: sqlite: disk-full: no root',
      '',
      '57 passed, 0 failed, 2 skipped',
    ])
  })

  it('count each step that did not pass', () => {
    const broken = { ...chaos, result: 'FAILED', failed: 3, skipped: [] }
    const notRun = { name: 'api', result: 'not run', seconds: 0, ...withoutCounts(false) }
    const interrupted = { ...lint, result: 'FAILED' }
    expect(summaryOf([broken, notRun, interrupted]).at(-1)).toBe('37 passed, 5 failed')
  })
})
