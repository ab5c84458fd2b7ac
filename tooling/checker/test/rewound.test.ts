import { describe, expect, it } from 'vitest'
import { check } from '../src/check.js'
import { LEASE_MS, type Scenario } from './scenario.js'
import { soundRun } from './sound-run.js'

const lost = { name: 'enqueue', messages: [{ id: 'm9', queue: 'mail', payload: '{"of":"m9"}' }] } as const

/** What is violated when the database goes back to where it stood before `inside`. */
function violated(
  only: string,
  parts: {
    before?: (run: Scenario) => unknown
    inside?: (run: Scenario) => unknown
    after?: (run: Scenario) => unknown
  },
): string[] {
  const run = soundRun()
  parts.before?.(run)
  const from = run.wait(10).time
  parts.inside?.(run.wait(10))
  const to = run.wait(10).time
  run.push({ kind: 'rewound', from, to }, 'harness')
  parts.after?.(run.wait(10))
  const [verdict] = check(run.history, { only: [only] }).verdicts
  return verdict?.violations.map(({ says }) => says) ?? []
}

describe('when the database went back in time', () => {
  const acknowledged = (run: Scenario): Scenario => run.call(lost, 'ok', { ids: ['m9'] })

  it('a message that was acknowledged in between may be gone', () => {
    expect(violated('Q1', { inside: acknowledged })).toEqual([])
  })

  it('one that was acknowledged before is lost wrongly', () => {
    expect(violated('Q1', { before: acknowledged })).toEqual(['an acknowledged message is gone'])
  })

  it('so is one that was enqueued afterwards', () => {
    expect(violated('Q1', { after: acknowledged })).toEqual(['an acknowledged message is gone'])
  })

  it('one whose enqueue reached over the time may be gone', () => {
    const across = violated('Q1', {
      before: (run) => run.push({ kind: 'invoke', op: 'across', ...lost }, 'client'),
      after: (run) =>
        run.push({ kind: 'settle', op: 'across', outcome: 'ok', value: { ids: ['m9'] } }, 'client'),
    })
    expect(across).toEqual([])
  })

  it('a message may be finished once more than anybody sees, and not twice afterwards', () => {
    const finish = { kind: 'accepted', write: 'finish', id: 'm1' } as const
    const inside = (run: Scenario): Scenario => run.push({ ...finish, lease: 'L0' })
    expect(violated('Q5', { inside })).toEqual([])
    // Sent before, and answered when a process that stood still went on.
    const late = (run: Scenario): Scenario => run.push({ ...finish, lease: 'L0', sentMono: run.time - 25 })
    expect(violated('Q5', { after: late })).toEqual([])
    expect(violated('Q5', { after: inside })).toEqual(['2 holders finished the same message'])
  })

  const first = (run: Scenario): Scenario =>
    run.enqueue('r9', { queue: 'pay' }).claim('r9', 'R1').start('run', 'r9', 'R1')
  const saw = (run: Scenario, lease: string, value: string): Scenario =>
    run.boundary('r9', lease, 0, 'list', { value }).checkpoint('r9', 'list', { output: '"new"' })

  it('a body that was under way may have seen what is not recorded', () => {
    expect(violated('W2', { before: first, inside: (run) => saw(run, 'R1', '"old"') })).toEqual([])
  })

  it('one that began afterwards may not', () => {
    expect(violated('W2', { after: (run) => saw(first(run), 'R1', '"old"') })).toEqual([
      'the code saw "old", recorded is "new"',
    ])
  })

  it('one that had ended before may not', () => {
    const before = (run: Scenario): unknown =>
      saw(first(run), 'R1', '"old"').end('run', 'r9', 'R1').finish('r9', null)
    expect(violated('W2', { before })).toEqual(['the code saw "old", recorded is "new"'])
  })

  it('a body may have begun under a grant that is gone', () => {
    const begun = (run: Scenario): Scenario => run.enqueue('m9').start('message', 'm9', 'Z9')
    expect(violated('Q6', { inside: begun })).toEqual([])
    // The claim's answer may have come in time, and its message waited for a slot.
    expect(violated('Q6', { after: begun })).toEqual([])
    const muchLater = (run: Scenario): Scenario => begun(run.wait(LEASE_MS))
    expect(violated('Q6', { after: muchLater })).toEqual([
      'a body began under lease Z9, which was never granted',
    ])
  })
})
