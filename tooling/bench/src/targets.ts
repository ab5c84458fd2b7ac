import type { Figure } from './results.js'
import type { StoreName, System } from './system.js'

/** Who a figure of pgqrs is held against. */
export type Against = 'rival' | 'queue' | 'engine' | 'limit'

/** What one figure of pgqrs must show. */
export interface Target {
  readonly metric: string
  readonly store: StoreName
  /** A kind of system, whose best median counts; another metric of pgqrs's own; or nothing: the figure itself. */
  readonly against: Against | { readonly metric: string } | undefined
  readonly least?: number
  readonly most?: number
}

/** What became of a target. */
export interface Judged {
  readonly target: Target
  /** The ratio, or the figure itself; undefined when there is nothing to compare. */
  readonly value: number | undefined
  readonly met: boolean | undefined
  /** Who was the best of the others. */
  readonly other: string | undefined
}

type Bound = { least: number } | { most: number }

function both(metric: string, postgres: Bound, sqlite: Bound, against: Against = 'rival'): Target[] {
  return [
    { metric, store: 'postgres', against, ...postgres },
    { metric, store: 'sqlite', against, ...sqlite },
  ]
}

function grown(name: string, least: number): Target {
  return { metric: `S ${name}`, store: 'postgres', against: { metric: 'S 0' }, least }
}

/** Every figure within 1.3 times of its value on an empty table. */
const flat = 1 / 1.3

/** What the benchmark must show. */
export const targets: readonly Target[] = [
  ...both('E1', { least: 6 }, { least: 8 }),
  ...both('E2', { least: 2.5 }, { least: 4 }),
  { metric: 'D', store: 'postgres', against: 'queue', least: 1.3 },
  { metric: 'D', store: 'postgres', against: 'engine', least: 20 },
  { metric: 'D', store: 'sqlite', against: 'rival', least: 10 },
  ...both('L p50', { most: 0.7 }, { most: 0.5 }),
  ...both('L apart p50', { most: 0.7 }, { most: 0.5 }),
  ...both('W', { least: 8 }, { least: 10 }),
  ...both('W10', { least: 8 }, { least: 10 }),
  ...both('WL p50', { most: 0.5 }, { most: 0.5 }),
  ...both('R', { most: 1 }, { most: 1 }),
  ...['E1', 'E2', 'D', 'W'].flatMap((metric) => both(metric, { least: 0.5 }, { least: 0.5 }, 'limit')),
  ...['1M ready', '1M delayed', '100k leased', '10M archived'].map((name) => grown(name, flat)),
  grown('xmin', 0.6),
  { metric: 'I statements', store: 'postgres', against: undefined, most: 60 },
  ...both('I cpu', { most: 0.5 }, { most: 0.5 }).map((target) => ({ ...target, against: undefined })),
  ...both('I sleeping', { most: 4096 }, { most: 4096 }).map((target) => ({ ...target, against: undefined })),
]

/** Kinds of systems by name. */
export type Kinds = Readonly<Record<string, System['kind']>>

/**
 * Holds the figures against the targets.
 * @param lowerIsBetter - names of the metrics of which the smallest is the best.
 */
export function judge(
  figures: readonly Figure[],
  kinds: Kinds,
  lowerIsBetter: ReadonlySet<string>,
): Judged[] {
  return targets.map((target) => {
    const own = bestOf(
      figuresFor(figures, target, (name) => name === 'pgqrs'),
      lowerIsBetter,
    )
    const other = otherFor(figures, target, kinds, lowerIsBetter)
    if (own === undefined || (target.against !== undefined && other === undefined)) {
      return { target, value: undefined, met: undefined, other: undefined }
    }
    const value = own.spread.median / (other?.spread.median ?? 1)
    const met = value >= (target.least ?? -Infinity) && value <= (target.most ?? Infinity)
    return { target, value, met, other: other === undefined ? undefined : titleOf(target, other) }
  })
}

function titleOf({ against }: Target, other: Figure): string {
  return typeof against === 'object' ? other.metric : nameOf(other)
}

/** A system and its configuration in a few characters. */
export function nameOf({ system, configuration }: Pick<Figure, 'system' | 'configuration'>): string {
  return configuration === 'best' ? system : `${system} (default)`
}

/** The best figure: that of the greatest median, or of the smallest where less is better. */
export function bestOf(figures: readonly Figure[], lowerIsBetter: ReadonlySet<string>): Figure | undefined {
  const sorted = figures
    .filter(({ spread }) => Number.isFinite(spread.median) && spread.median > 0)
    .sort((a, b) => a.spread.median - b.spread.median)
  const [first] = sorted
  return first !== undefined && lowerIsBetter.has(first.metric) ? first : (sorted.at(-1) ?? figures[0])
}

function otherFor(
  figures: readonly Figure[],
  target: Target,
  kinds: Kinds,
  lowerIsBetter: ReadonlySet<string>,
): Figure | undefined {
  const { against, store } = target
  if (against === undefined) return undefined
  if (typeof against === 'object') {
    return bestOf(
      figuresFor(figures, { metric: against.metric, store }, (name) => name === 'pgqrs'),
      lowerIsBetter,
    )
  }
  return bestOf(
    figuresFor(figures, target, (name) => isOf(against, name, kinds)),
    lowerIsBetter,
  )
}

function isOf(against: Against, name: string, kinds: Kinds): boolean {
  if (against === 'limit') return name === 'limit'
  if (name === 'limit' || name === 'pgqrs') return false
  return against === 'rival' || kinds[name] === against
}

function figuresFor(
  figures: readonly Figure[],
  { metric, store }: Pick<Target, 'metric' | 'store'>,
  is: (system: string) => boolean,
): Figure[] {
  return figures.filter((figure) => figure.metric === metric && figure.store === store && is(figure.system))
}
