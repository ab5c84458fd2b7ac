import { describe, expect, it } from 'vitest'
import { check } from '../src/check.js'
import { invariants } from '../src/invariants.js'
import { soundRun } from './sound-run.js'

describe('a sound run', () => {
  const report = check(soundRun().history)

  it.each(invariants.map(({ id, sentence }) => [id, sentence] as const))('%s holds: %s', (id) => {
    const verdict = report.verdicts.find((one) => one.id === id)
    expect(verdict?.violations.map(({ says }) => says)).toEqual([])
    expect(verdict?.outcome).toBe('held')
    expect(verdict?.checked).toBeGreaterThan(0)
  })

  it('passes as a whole', () => {
    expect(report).toMatchObject({ passed: invariants.length, failed: 0, ok: true })
  })
})
