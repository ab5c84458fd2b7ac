import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chartist, type Chartist } from './charts.js'
import { chartKey, pageOf, type ChartFiles } from './page.js'
import type { Report } from './report.js'
import { ranked } from './rows.js'

const folder = fileURLToPath(new URL('../../../docs/benchmarks/', import.meta.url))
/** What somebody has written about the figures by hand; it goes into the page. */
const remarksFile = fileURLToPath(new URL('../remarks.md', import.meta.url))
const prettier = fileURLToPath(new URL('../../../node_modules/.bin/prettier', import.meta.url))

/** Writes the page and its charts into docs/benchmarks and returns that folder. */
export async function writeDocs(report: Report): Promise<string> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) if (name.endsWith('.svg')) await rm(join(folder, name))
  const charts = await draw(report, await chartist())
  const remarks = await readFile(remarksFile, 'utf8').catch(() => undefined)
  const page = join(folder, 'README.md')
  await writeFile(page, pageOf(report, charts, remarks))
  await promisify(execFile)(prettier, ['--write', '--log-level', 'warn', page])
  return folder
}

async function draw(report: Report, chartist: Chartist): Promise<ChartFiles> {
  const files = new Map<string, string>()
  for (const store of ['postgres', 'sqlite'] as const) {
    for (const metric of report.metrics) {
      const figures = ranked(report.figures, metric, store)
      // A single bar says nothing that its number does not.
      if (figures.length < 2) continue
      const file = `${metric.name.toLowerCase().replaceAll(' ', '-')}-${store}.svg`
      await writeFile(join(folder, file), chartist.bars(metric, store, figures))
      files.set(chartKey(metric.name, store), file)
    }
  }
  await drawStages(report, chartist, files)
  return files
}

/** S has one chart for all of its figures: they are about one system. */
async function drawStages(report: Report, chartist: Chartist, files: Map<string, string>): Promise<void> {
  const stages = report.metrics.flatMap(({ name, title }) => {
    const figure = report.figures.find((each) => each.metric === name && each.system === 'pgqrs')
    if (!/^S (?!.* cpu$)/.test(name) || figure === undefined) return []
    return [{ name: title.replace('drain with ', ''), value: figure.spread.median }]
  })
  if (stages.length === 0) return
  const file = 's-postgres.svg'
  await writeFile(
    join(folder, file),
    chartist.stages('Drain as the table grows (Postgres)', 'messages/s', stages),
  )
  files.set(chartKey('S 0', 'postgres'), file)
}
