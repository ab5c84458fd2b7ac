import type { Cost, Measured, Metric } from './scenario.js'
import { median, percentile, spreadOf, type Spread } from './statistics.js'
import type { ScenarioName, StoreName, System } from './system.js'

/** What became of one system in one scenario and round. */
export interface Trialled {
  readonly system: string
  readonly configuration: System['configuration']
  readonly store: StoreName
  readonly scenario: ScenarioName
  readonly round: number
  /** How long it took, with everything that had to be prepared. */
  readonly seconds: number
  readonly measured?: Measured
  /** Why there is no figure. */
  readonly failure?: string
}

/** One figure of one system, over all rounds. */
export interface Figure {
  readonly metric: string
  readonly system: string
  readonly configuration: System['configuration']
  readonly store: StoreName
  readonly spread: Spread
  readonly cost: Cost | undefined
  readonly remarks: readonly string[]
}

/** What a metric's samples are called, and which share of them it is: `L p99` is 0.99 of the samples `L`. */
const quantile = /^(.+) p(\d\d)$/

/** Puts the rounds together: medians of values, quantiles over all samples of all rounds. */
export function figuresOf(trials: readonly Trialled[], metrics: readonly Metric[]): Figure[] {
  const groups = new Map<string, Trialled[]>()
  for (const trial of trials) {
    const key = `${trial.store} ${trial.system} ${trial.configuration}`
    groups.set(key, [...(groups.get(key) ?? []), trial])
  }
  return metrics.flatMap((metric) =>
    [...groups.values()].flatMap((group) => {
      const figure = figureOf(group, metric.name)
      return figure === undefined ? [] : [figure]
    }),
  )
}

function figureOf(group: readonly Trialled[], metric: string): Figure | undefined {
  const [, samplesName = '', share = ''] = quantile.exec(metric) ?? []
  const measured = group.flatMap((trial) => (trial.measured === undefined ? [] : [trial.measured]))
  const sampled = measured.flatMap(({ samples }) => {
    const found = samples?.[samplesName]
    return found === undefined ? [] : [found]
  })
  const found = measured.filter(({ values }) => metric in values)
  const [first] = group
  if (first === undefined || (found.length === 0 && sampled.length === 0)) return undefined
  const p = Number(share) / 100
  const spread =
    sampled.length > 0
      ? { ...spreadOf(sampled.map((each) => percentile(each, p))), median: percentile(sampled.flat(), p) }
      : spreadOf(found.map(({ values }) => values[metric] ?? NaN))
  const { system, configuration, store } = first
  const remarks = found.flatMap(({ remark }) => (remark === undefined ? [] : [remark]))
  return { metric, system, configuration, store, spread, cost: costOf(found), remarks: [...new Set(remarks)] }
}

function costOf(measured: readonly Measured[]): Cost | undefined {
  const costs = measured.flatMap(({ cost }) => (cost === undefined ? [] : [cost]))
  if (costs.length === 0) return undefined
  const middle = (pick: (cost: Cost) => number | undefined): number | undefined => {
    const known = costs.map(pick).filter((value) => value !== undefined)
    return known.length === 0 ? undefined : median(known)
  }
  return {
    clientCpuMs: median(costs.map((cost) => cost.clientCpuMs)),
    serverCpuMs: middle((cost) => cost.serverCpuMs),
    bytes: middle((cost) => cost.bytes),
  }
}
