import { expect, it } from 'vitest'
import { check } from '../src/check.js'
import type { Scenario } from './scenario.js'
import { soundRun } from './sound-run.js'

/** One way to break a sound run: which invariant must notice, and what it says. */
export type Case = readonly [id: string, title: string, says: RegExp, spoil: (run: Scenario) => unknown]

/** One test for each case: the invariant holds in the sound run and is violated in the spoilt one. */
export function eachIsNoticed(cases: readonly Case[]): void {
  it.each(cases)('%s notices %s', (id, _title, says, spoil) => {
    const run = soundRun()
    expect(check(run.history, { only: [id] }).verdicts[0]?.outcome).toBe('held')
    spoil(run)
    const report = check(run.history, { only: [id] })
    expect(report.ok).toBe(false)
    const [verdict] = report.verdicts
    expect(verdict?.outcome).toBe('violated')
    const violation = verdict?.violations.find((one) => says.test(one.says))
    expect(verdict?.violations.map((one) => one.says).join('\n')).toMatch(says)
    expect(violation?.slice).toEqual(expect.arrayContaining([...(violation?.evidence ?? [])]))
    expect(violation?.evidence.length).toBeGreaterThan(0)
  })
}
