import { describe, expect, it } from 'vitest'
import type { Figure } from '../src/results.js'
import { judge, targets, type Kinds } from '../src/targets.js'
import type { StoreName } from '../src/system.js'
import { figureOf } from './figure.js'

const kinds: Kinds = { pgqrs: 'both', limit: 'both', rabbit: 'queue', hare: 'queue', tortoise: 'engine' }

function judged(figures: readonly Figure[], metric: string, against: unknown, store: StoreName = 'postgres') {
  const all = judge(figures, kinds, new Set(['L p50', 'R', 'I statements']))
  const found = all.filter(
    ({ target }) => target.metric === metric && target.against === against && target.store === store,
  )
  expect(found).toHaveLength(1)
  return found[0]
}

describe('targets', () => {
  it('every scenario of the issue has one on Postgres', () => {
    const metrics = targets.filter(({ store }) => store === 'postgres').map(({ metric }) => metric)
    expect(metrics).toEqual(
      expect.arrayContaining(['E1', 'E2', 'D', 'L p50', 'W', 'W10', 'WL p50', 'R', 'S xmin', 'I statements']),
    )
  })

  it('hold the best of ours against the best of theirs, whatever its configuration', () => {
    const figures = [
      figureOf('E1', 'pgqrs', 500, { configuration: 'default' }),
      figureOf('E1', 'pgqrs', 900),
      figureOf('E1', 'rabbit', 100),
      figureOf('E1', 'hare', 150, { configuration: 'default' }),
      figureOf('E1', 'limit', 1200),
    ]
    expect(judged(figures, 'E1', 'rival')).toMatchObject({ value: 6, met: true, other: 'hare (default)' })
    expect(judged(figures, 'E1', 'limit')).toMatchObject({ value: 0.75, met: true, other: 'limit' })
  })

  it('are missed by a hair', () => {
    const figures = [figureOf('E1', 'pgqrs', 599), figureOf('E1', 'rabbit', 100)]
    expect(judged(figures, 'E1', 'rival')).toMatchObject({ value: 5.99, met: false })
  })

  it('know queues from durable engines', () => {
    const figures = [
      figureOf('D', 'pgqrs', 2000),
      figureOf('D', 'rabbit', 1600),
      figureOf('D', 'tortoise', 50),
    ]
    expect(judged(figures, 'D', 'queue')).toMatchObject({ value: 1.25, met: false, other: 'rabbit' })
    expect(judged(figures, 'D', 'engine')).toMatchObject({ value: 40, met: true, other: 'tortoise' })
  })

  it('take the smallest where less is better', () => {
    const figures = [
      figureOf('L p50', 'pgqrs', 2),
      figureOf('L p50', 'pgqrs', 9, { configuration: 'default' }),
      figureOf('L p50', 'rabbit', 4),
      figureOf('L p50', 'hare', 40),
    ]
    expect(judged(figures, 'L p50', 'rival')).toMatchObject({ value: 0.5, met: true, other: 'rabbit' })
  })

  it('do not mix the databases', () => {
    const figures = [figureOf('R', 'pgqrs', 1), figureOf('R', 'rabbit', 3, { store: 'sqlite' })]
    expect(judged(figures, 'R', 'rival')).toMatchObject({ met: undefined })
  })

  it('may be about pgqrs alone', () => {
    expect(judged([figureOf('I statements', 'pgqrs', 61)], 'I statements', undefined)).toMatchObject({
      value: 61,
      met: false,
    })
    const grown = [figureOf('S 0', 'pgqrs', 100), figureOf('S xmin', 'pgqrs', 70)]
    const all = judge(grown, kinds, new Set())
    expect(all.find(({ target }) => target.metric === 'S xmin')).toMatchObject({
      value: 0.7,
      met: true,
      other: 'S 0',
    })
  })

  it('that nothing was measured for are neither met nor missed', () => {
    expect(judge([], kinds, new Set()).map(({ met }) => met)).toEqual(targets.map(() => undefined))
  })
})
