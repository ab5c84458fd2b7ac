import { readable } from './numbers.js'
import { importOnDemand } from './on-demand.js'
import type { Figure } from './results.js'
import { storeTitles } from './rows.js'
import type { Metric } from './scenario.js'
import type { StoreName } from './system.js'
import { nameOf } from './targets.js'

/** What is used of echarts. */
interface Echarts {
  init(dom: null, theme: null, options: { renderer: 'svg'; ssr: true; width: number; height: number }): Chart
}

interface Chart {
  setOption(option: object): void
  renderToSVGString(): string
  dispose(): void
}

const width = 820
const barHeight = 26
const colors = { pgqrs: '#0f766e', limit: '#cbd5e1', rival: '#94a3b8' }

/** Draws charts; loads the library that does. */
export async function chartist(): Promise<Chartist> {
  return new Chartist(await importOnDemand<Echarts>('echarts'))
}

/** Draws charts. */
export class Chartist {
  constructor(private readonly echarts: Echarts) {}

  /** One bar for every system, the best on top, with the least and the greatest round beside its name. */
  bars(metric: Metric, store: StoreName, figures: readonly Figure[]): string {
    const names = figures.map(nameOf)
    const values = figures.map(({ spread }) => spread.median)
    const positive = values.filter((value) => value > 0)
    // Where they are orders of magnitude apart, a straight scale would show one bar and a row of lines.
    const isLogarithmic = Math.max(...positive) / Math.min(...positive) > 50
    return this.draw(figures.length * barHeight + 90, {
      title: {
        text: `${metric.title} (${storeTitles[store]})`,
        subtext: `${metric.unit}, ${metric.better} is better${isLogarithmic ? ', logarithmic scale' : ''}`,
        left: 12,
        top: 8,
        textStyle: { fontSize: 15 },
      },
      grid: { left: 190, right: 210, top: 62, bottom: 16 },
      xAxis: isLogarithmic
        ? { type: 'log', min: 10 ** Math.floor(Math.log10(Math.min(...positive)) - 0.3), show: false }
        : { type: 'value', show: false },
      yAxis: {
        type: 'category',
        data: names,
        inverse: true,
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: [
        {
          type: 'bar',
          barWidth: 16,
          data: figures.map((figure, i) => ({
            value: values[i],
            itemStyle: { color: colorOf(figure) },
            label: { show: true, position: 'right', formatter: labelOf(figure) },
          })),
        },
      ],
    })
  }

  /** One line of bars for one system, in the order given: what the same figure is as something else grows. */
  stages(title: string, unit: string, stages: readonly { name: string; value: number }[]): string {
    return this.draw(stages.length * barHeight + 90, {
      title: { text: title, subtext: unit, left: 12, top: 8, textStyle: { fontSize: 15 } },
      grid: { left: 260, right: 120, top: 62, bottom: 16 },
      xAxis: { type: 'value', show: false, min: 0 },
      yAxis: {
        type: 'category',
        data: stages.map(({ name }) => name),
        inverse: true,
        axisTick: { show: false },
        axisLine: { show: false },
      },
      series: [
        {
          type: 'bar',
          barWidth: 16,
          itemStyle: { color: colors.pgqrs },
          data: stages.map(({ value }) => ({
            value,
            label: { show: true, position: 'right', formatter: readable(value) },
          })),
        },
      ],
    })
  }

  private draw(height: number, option: object): string {
    const chart = this.echarts.init(null, null, { renderer: 'svg', ssr: true, width, height })
    try {
      chart.setOption({ animation: false, backgroundColor: '#ffffff', ...option })
      return `${chart.renderToSVGString()}\n`
    } finally {
      chart.dispose()
    }
  }
}

function colorOf({ system }: Figure): string {
  if (system === 'pgqrs') return colors.pgqrs
  return system === 'limit' ? colors.limit : colors.rival
}

function labelOf({ spread }: Figure): string {
  const range = spread.rounds > 1 ? `  (${readable(spread.min)} – ${readable(spread.max)})` : ''
  return readable(spread.median) + range
}
