import Table from 'cli-table3'
import colors from 'picocolors'
import { readable } from './numbers.js'
import type { Report } from './report.js'
import type { Trialled } from './results.js'
import { columns, ranked, remarksOf, rowOf, sentenceOf, storeTitles, verdictOf } from './rows.js'
import { nameOf } from './targets.js'
import type { StoreName } from './system.js'

/** One line as soon as a measurement is made. */
export function progressLine(trial: Trialled): string {
  const took = `${trial.seconds.toFixed(1).padStart(5)} s`
  const who = `round ${trial.round} ${took}  ${trial.scenario.padEnd(3)} ${trial.store.padEnd(8)} ${nameOf(trial)}`
  if (trial.failure !== undefined) return colors.yellow(`${who}: ${trial.failure.split('\n')[0] ?? ''}`)
  const { values = {}, samples = {}, remark } = trial.measured ?? {}
  const found = [
    ...Object.entries(values).map(([name, value]) => `${name} ${readable(value)}`),
    ...Object.entries(samples).map(([name, all]) => `${name} ${all.length} samples`),
  ]
  return `${who}: ${found.join(', ')}${remark === undefined ? '' : colors.dim(` (${remark})`)}`
}

/** The whole report for a terminal. */
export function screenOf(report: Report): string {
  const stores = (['postgres', 'sqlite'] as const).filter((store) =>
    report.figures.some((figure) => figure.store === store),
  )
  return [
    ...stores.map((store) => figuresTable(report, store)),
    ...section('Remarks', remarksOf(report)),
    ...section(
      'No figure',
      report.failures.map(
        ({ system, store, scenario, reason }) => `${scenario} ${store} ${system}: ${reason}`,
      ),
    ),
    ...section(
      'Could not take part',
      report.absent.map(({ system, reason }) => `${system}: ${reason}`),
    ),
    targetsTable(report),
    ...(report.complete
      ? []
      : [colors.yellow('Not all rounds were measured: the time was over, or it was interrupted.')]),
  ].join('\n')
}

function figuresTable(report: Report, store: StoreName): string {
  const table = new Table({ head: [storeTitles[store], ...columns.slice(1)], style: { compact: true } })
  for (const metric of report.metrics) {
    const figures = ranked(report.figures, metric, store)
    if (figures.length === 0) continue
    table.push([
      { colSpan: columns.length, content: colors.bold(`${metric.name}: ${metric.title}, ${metric.unit}`) },
    ])
    for (const figure of figures) {
      const row = rowOf(figure, figures)
      table.push(figure.system === 'pgqrs' ? row.map((cell) => colors.green(cell)) : row)
    }
  }
  return table.toString()
}

function targetsTable(report: Report): string {
  const table = new Table({
    head: ['target', 'database', 'found', 'best other', ''],
    style: { compact: true },
  })
  for (const judged of report.targets) {
    if (judged.met === undefined) continue
    const [value = '', other = '', verdict = ''] = verdictOf(judged)
    const colored = judged.met ? colors.green(verdict) : colors.red(verdict)
    table.push([sentenceOf(judged.target), storeTitles[judged.target.store], value, other, colored])
  }
  const met = report.targets.filter((judged) => judged.met === true).length
  const missed = report.targets.filter((judged) => judged.met === false).length
  const unknown = report.targets.length - met - missed
  return `${table.toString()}\n${met} targets met, ${missed} not met, ${unknown} not measured`
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [colors.bold(title), ...lines.map((line) => `  ${line}`)]
}
