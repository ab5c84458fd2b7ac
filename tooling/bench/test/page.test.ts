import { describe, expect, it } from 'vitest'
import { chartKey, pageOf } from '../src/page.js'
import type { Report } from '../src/report.js'
import { screenOf } from '../src/screen.js'
import { judge } from '../src/targets.js'
import { figureOf } from './figure.js'

const figures = [
  figureOf('E1', 'pgqrs', 600, {
    spread: { median: 600, min: 500, max: 700, rounds: 3 },
    cost: { clientCpuMs: 0.021, serverCpuMs: 0.04, bytes: 412.4 },
  }),
  figureOf('E1', 'rabbit', 100, { remarks: ['14 of 50 in 4 s'] }),
  figureOf('E1', 'limit', 1000),
  figureOf('L p50', 'pgqrs', 5),
  figureOf('L p50', 'rabbit', 2),
]

const report: Report = {
  startedAt: '2026-11-22T18:00:00.000Z',
  minutes: 21.4,
  arguments: [],
  quick: false,
  rounds: 3,
  complete: true,
  machine: {
    cpu: 'A processor',
    cores: 2,
    memoryGiB: 8,
    system: 'A system',
    fileSystem: 'ext4',
    node: 'v20.20.2',
    commit: 'abc',
  },
  databases: ['PostgreSQL 18.4'],
  participants: [{ name: 'rabbit', configuration: 'best', version: '1.2.3', kind: 'queue', note: 'a | b' }],
  absent: [{ system: 'dodo', reason: 'no such package' }],
  metrics: [
    { name: 'E1', title: 'enqueue', unit: 'messages/s', better: 'higher' },
    { name: 'L p50', title: 'latency', unit: 'ms', better: 'lower' },
  ],
  figures,
  targets: judge(figures, { rabbit: 'queue' }, new Set(['L p50'])),
  failures: [{ system: 'rabbit', store: 'postgres', scenario: 'W', reason: 'has no runs' }],
  trials: [],
}

/** Without the colours of a terminal. */
// eslint-disable-next-line no-control-regex
const plain = (text: string): string => text.replaceAll(/\x1b\[[\d;]*m/g, '')

describe('the page', () => {
  const page = pageOf(report, new Map([[chartKey('E1', 'postgres'), 'e1-postgres.svg']]), 'By hand.')

  it('says who wins and where', () => {
    expect(page).toContain('L p50 on Postgres (latency): rabbit does better, 2 against 5 ms.')
    expect(page).not.toContain('E1 on Postgres (enqueue): rabbit does better')
  })

  it('has each figure with its ends, its share of the limit and its cost', () => {
    expect(page).toContain('| pgqrs | 600 | 500 – 700 | 60 % | 0.021 | 0.04 | 412 |')
  })

  it('has charts, the machine, the systems, the remarks and what there is no figure of', () => {
    for (const part of [
      '![enqueue, messages/s](e1-postgres.svg)',
      'A processor, 2 cores, 8 GiB, ext4',
      '| rabbit | best | 1.2.3 | a \\| b |',
      'By hand.',
      '- rabbit: 14 of 50 in 4 s',
      'dodo: no such package',
      '| W | postgres | rabbit | has no runs |',
      'E1: at least 6 × the best rival | Postgres | 6 | rabbit | met',
    ]) {
      expect(page).toContain(part)
    }
  })

  it('leaves out what was not measured', () => {
    expect(page).not.toContain('## SQLite')
    expect(page).not.toContain('| not measured |')
  })
})

describe('the screen', () => {
  it('shows figures, remarks, absentees and targets', () => {
    const screen = plain(screenOf(report))
    expect(screen).toContain('500 – 700')
    expect(screen).toContain('dodo: no such package')
    expect(screen).toContain('L p50: at most 0.7 × the best rival')
    expect(screen).toContain('2 targets met, 1 not met')
  })

  it('says when rounds are missing', () => {
    expect(plain(screenOf(report))).not.toContain('Not all rounds')
    expect(plain(screenOf({ ...report, complete: false }))).toContain('Not all rounds were measured')
  })
})
