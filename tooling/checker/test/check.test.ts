import { describe, expect, it } from 'vitest'
import { check } from '../src/check.js'
import { invariants } from '../src/invariants.js'
import { notOffered } from '../src/not-offered.js'
import { printReport } from '../src/report.js'
import { ReportSum } from '../src/sum-reports.js'
import { LEASE_MS, Scenario } from './scenario.js'
import { soundRun } from './sound-run.js'

const printed = (...args: Parameters<typeof check>): string[] => {
  const lines: string[] = []
  // eslint-disable-next-line no-control-regex -- colours
  printReport(check(...args), { line: (text) => lines.push(text.replaceAll(/\u001b\[\d+m/g, '')) })
  return lines
}

describe('an invariant that looked at nothing', () => {
  const empty = new Scenario().history

  it('fails the run', () => {
    const report = check(empty, { only: ['Q1', 'W5'] })
    expect(report.verdicts.map(({ outcome }) => outcome)).toEqual(['blind', 'blind'])
    expect(report).toMatchObject({ passed: 0, failed: 2, ok: false })
  })

  it('does not when a reason is given', () => {
    const report = check(empty, { only: ['W5'], inapplicable: { W5: 'the load has no transactional steps' } })
    expect(report.verdicts[0]).toMatchObject({ outcome: 'inapplicable', reason: expect.any(String) })
    expect(report).toMatchObject({ passed: 0, failed: 0, ok: true })
  })

  it('is checked all the same when there is something to look at', () => {
    const run = soundRun().push({ kind: 'row', table: 'witnesses', run: 'r1', step: 'move' })
    const report = check(run.history, { only: ['W5'], inapplicable: { W5: 'a lie' } })
    expect(report).toMatchObject({ failed: 1, ok: false })
  })

  it.each(invariants.map(({ id }) => id))('%s can be blind', (id) => {
    expect(check(empty, { only: [id] }).verdicts[0]?.outcome).toBe('blind')
  })
})

describe('the sum of many reports', () => {
  const sound = soundRun().history
  const empty = new Scenario().history

  it('adds up what was looked at, and is blind only where all were', () => {
    const sum = new ReportSum(sound.facts)
    sum.add(check(empty, { only: ['Q1', 'S2'] }))
    expect(sum.report).toMatchObject({ passed: 0, failed: 2 })
    for (let i = 0; i < 2; i++) sum.add(check(sound, { only: ['Q1', 'S2'] }))
    expect(sum.report).toMatchObject({ passed: 2, violated: 0, failed: 0, ok: true })
    const [, integrity] = sum.report.verdicts
    expect(integrity?.checked).toBe(2)
  })

  it('is violated when one of them is, and keeps the reasons', () => {
    const sum = new ReportSum(sound.facts, { inapplicable: { S1: 'virtual processes hold nothing' } })
    const broken = soundRun().push({ kind: 'system', what: 'integrity', check: 'c', problems: ['p'] }).history
    for (const history of [sound, broken, sound]) sum.add(check(history, { only: ['S2'] }))
    sum.add(check(empty, { only: ['S1'], inapplicable: { S1: 'x' } }))
    expect(sum.report).toMatchObject({ passed: 0, violated: 1, failed: 1, ok: false })
    expect(sum.report.verdicts.map(({ outcome }) => outcome)).toEqual(['violated', 'inapplicable'])
    expect(sum.report.verdicts[0]?.violations).toHaveLength(1)
  })
})

describe('the list of invariants', () => {
  it('has every one of the reference, checked or with the reason why not', () => {
    const wanted = [
      ...Array.from({ length: 20 }, (_, i) => `Q${i + 1}`),
      ...Array.from({ length: 15 }, (_, i) => `W${i + 1}`),
      ...Array.from({ length: 7 }, (_, i) => `S${i + 1}`),
    ]
    const known = [...invariants, ...notOffered].map(({ id }) => id)
    expect(new Set(known).size).toBe(known.length)
    expect(known).toEqual(expect.arrayContaining(wanted))
  })

  it('knows no other', () => {
    expect(() => check(soundRun().history, { only: ['Q99'] })).toThrow(/no invariant Q99/)
    expect(() => check(soundRun().history, { inapplicable: { X1: 'x' } })).toThrow(/no invariant X1/)
  })
})

describe('the printed report', () => {
  it('counts the invariants in a line of their own', () => {
    const { history } = soundRun()
    const lines = printed(history, { only: ['Q1', 'S6'] })
    expect(lines).toContain('invariants: 2 held, 0 failed, 0 not applicable')
    const without = printed(new Scenario().history, { only: ['Q1', 'S6'], inapplicable: { S6: 'no secret' } })
    expect(without).toContain('invariants: 0 held, 1 failed, 1 not applicable')
  })

  it('names and counts what was left out, last of all', () => {
    const lines: string[] = []
    printReport(check(soundRun().history, { only: ['Q1'] }), {
      line: (text) => lines.push(text),
      notes: ['faults injected: 3'],
      leftOut: [{ what: 'pgbouncer', reason: 'it is not installed' }],
    })
    expect(lines.slice(-2)).toEqual([
      'left out: pgbouncer: it is not installed',
      '1 passed, 0 failed, 1 skipped',
    ])
    expect(lines).toContain('faults injected: 3')
  })

  it('ends with the counts alone, behind the table and the seed', () => {
    const lines = printed(soundRun().history)
    expect(lines.at(-1)).toBe(`${invariants.length} passed, 0 failed`)
    expect(lines.at(-2)).toContain('seed 7')
    expect(lines.join('\n')).toMatch(/Q13 +not offered: pgqrs has no FIFO groups/)
    for (const { id, sentence } of invariants)
      expect(lines.join('\n')).toMatch(new RegExp(`${id} .*${sentence}`))
  })

  it('shows the slice of a violation: its proof, and of other messages nothing', () => {
    const run = soundRun()
    run.enqueue('m9').claim('m9', 'Z1').start('message', 'm9', 'Z1').enqueue('other').claim('other', 'O1')
    run.wait(LEASE_MS - 100).claim('m9', 'Z2', 'w2')
    const lines = printed(run.history, { only: ['Q7'] })
    expect(lines.slice(0, 2).map((line) => line.trim())).toEqual([
      'Q7 Leases of one message do not overlap: 1 violation',
      expect.stringMatching(/^lease Z2 was granted \d+ ms before the end of lease Z1 \(id m9\)$/),
    ])
    const slice = lines.slice(2, lines.indexOf(''))
    expect(
      slice.map((line) =>
        line
          .trim()
          .replace(/ +[\d.]+ ms +/, ' ')
          .split(':')[0]
          ?.trim(),
      ),
    ).toEqual([
      expect.stringMatching(/client +invoke/),
      expect.stringMatching(/client +settle/),
      expect.stringMatching(/^> database +message #\d+ m9/),
      expect.stringMatching(/w1 +started/),
      expect.stringMatching(/^> database +message #\d+ m9/),
    ])
    expect(slice.join('\n')).not.toContain('other')
  })

  it('shows a few events of a long history', () => {
    const run = soundRun().enqueue('m9').claim('m9', 'Z1')
    for (let i = 0; i < 100; i++) run.change('m9', { vt: run.state('m9').vt + 100 })
    run.claim('m9', 'Z2', 'w2')
    const [violation] = check(run.history, { only: ['Q7'] }).verdicts[0]?.violations ?? []
    expect(violation?.slice.length).toBeLessThan(15)
    expect(violation?.slice.at(-1)).toBe(violation?.evidence.at(-1))
  })
})
