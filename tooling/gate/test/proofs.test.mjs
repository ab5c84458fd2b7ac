import { describe, expect, it } from 'vitest'
import { readProof } from '../proofs.mjs'

const table = '│ Q1  │ An acknowledged message is delivered and finishes │ 1965 │ 0 │'
const output = (...lines) => [table, ...lines, ''].join('\n')

describe('what is read from a run of chaos or of the simulator', () => {
  it('is how many invariants held, whatever the last line counts', () => {
    const text = output('invariants: 37 held, 0 failed, 1 not applicable', '20000 passed, 0 failed')
    expect(readProof(text, 0)).toEqual({ passed: 37, failed: 0, skipped: [] })
  })

  it('names what was left out, once', () => {
    const text = [
      'left out: pgbouncer: no pgbouncer is installed',
      output(
        'invariants: 38 held, 0 failed, 0 not applicable',
        'left out: pgbouncer: no pgbouncer is installed',
        '38 passed, 0 failed, 1 skipped',
      ),
    ].join('\n')
    expect(readProof(text, 0)).toEqual({
      passed: 38,
      failed: 0,
      skipped: ['pgbouncer: no pgbouncer is installed'],
    })
  })

  it('reads through colours', () => {
    const text = output(
      '\u001b[2minvariants: 3 held, 0 failed, 0 not applicable\u001b[22m',
      '3 passed, 0 failed',
    )
    expect(readProof(text, 0)).toEqual({ passed: 3, failed: 0, skipped: [] })
  })

  it.each([
    ['a violation', output('invariants: 36 held, 2 failed, 0 not applicable', '36 passed, 2 failed'), 1, 2],
    [
      'a schedule that failed',
      output('invariants: 38 held, 0 failed, 0 not applicable', '9 passed, 1 failed'),
      1,
      1,
    ],
    [
      'a death behind the last line',
      output('invariants: 38 held, 0 failed, 0 not applicable', '38 passed, 0 failed'),
      1,
      1,
    ],
    ['a death before it', output('invariants: 38 held, 0 failed, 0 not applicable'), 0, 1],
    ['a run that looked at nothing', output('0 passed, 0 failed'), 0, 1],
    ['silence', '', 0, 1],
  ])('counts %s', (_, text, code, failed) => {
    expect(readProof(text, code)).toMatchObject({ failed })
  })
})
