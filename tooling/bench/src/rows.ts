import type { Report } from './report.js'
import { readable, readableOrNone } from './numbers.js'
import type { Figure } from './results.js'
import type { Metric } from './scenario.js'
import { bestOf, nameOf, type Judged, type Target } from './targets.js'
import type { StoreName } from './system.js'

/** How the databases are called in titles. */
export const storeTitles: Readonly<Record<StoreName, string>> = { postgres: 'Postgres', sqlite: 'SQLite' }

/** Heads of the columns of `rowOf`. */
export const columns = [
  'system',
  'median',
  'min – max',
  'of the limit',
  'CPU ms a job, client',
  'CPU ms a job, server',
  'bytes a job',
] as const

/** The figures of one metric on one database, the best first. */
export function ranked(figures: readonly Figure[], metric: Metric, store: StoreName): Figure[] {
  const sign = metric.better === 'lower' ? 1 : -1
  return figures
    .filter((figure) => figure.metric === metric.name && figure.store === store)
    .sort((a, b) => sign * (a.spread.median - b.spread.median))
}

/** One line of a table: a figure as text, in the order of `columns`. */
export function rowOf(figure: Figure, among: readonly Figure[]): string[] {
  const { spread, cost } = figure
  const limit = among.find(({ system }) => system === 'limit')
  const share =
    limit === undefined || limit === figure
      ? ''
      : `${readable((100 * spread.median) / limit.spread.median)} %`
  return [
    nameOf(figure),
    readable(spread.median),
    spread.rounds > 1 ? `${readable(spread.min)} – ${readable(spread.max)}` : '',
    share,
    readableOrNone(cost?.clientCpuMs),
    readableOrNone(cost?.serverCpuMs),
    readableOrNone(cost?.bytes === undefined ? undefined : Math.round(cost.bytes)),
  ]
}

/** A target as people say it: `E1 at least 6 times the best rival`. */
export function sentenceOf({ metric, against, least, most }: Target): string {
  const bound = least === undefined ? `at most ${readable(most ?? NaN)}` : `at least ${readable(least)}`
  const whom = {
    rival: 'the best rival',
    queue: 'the fastest queue',
    engine: 'the fastest durable engine',
    limit: 'the limit',
  }
  if (against === undefined) return `${metric}: ${bound}`
  const other = typeof against === 'object' ? against.metric : whom[against]
  return `${metric}: ${bound} × ${other}`
}

/** What became of a target, in a few words. */
export function verdictOf({ value, met, other }: Judged): string[] {
  if (value === undefined) return ['', '', 'not measured']
  return [readable(value), other ?? '', met === true ? 'met' : 'NOT MET']
}

/** Sentences on every figure in which a rival does better than pgqrs. */
export function remarksOf({ figures, metrics }: Pick<Report, 'figures' | 'metrics'>): string[] {
  const lower = lowerIsBetter(metrics)
  return metrics.flatMap((metric) =>
    (['postgres', 'sqlite'] as const).flatMap((store) => {
      const here = figures.filter((figure) => figure.metric === metric.name && figure.store === store)
      const own = bestOf(
        here.filter(({ system }) => system === 'pgqrs'),
        lower,
      )
      const rival = bestOf(
        here.filter(({ system }) => system !== 'pgqrs' && system !== 'limit'),
        lower,
      )
      if (own === undefined || rival === undefined) return []
      const ratio = rival.spread.median / own.spread.median
      const advantage = metric.better === 'lower' ? 1 / ratio : ratio
      if (!(advantage > 1)) return []
      const numbers = `${readable(rival.spread.median)} against ${readable(own.spread.median)} ${metric.unit}`
      return [
        `${metric.name} on ${storeTitles[store]} (${metric.title}): ${nameOf(rival)} does better, ${numbers}.`,
      ]
    }),
  )
}

/** Names of the metrics of which less is better. */
export function lowerIsBetter(metrics: readonly Metric[]): Set<string> {
  return new Set(metrics.filter(({ better }) => better === 'lower').map(({ name }) => name))
}
