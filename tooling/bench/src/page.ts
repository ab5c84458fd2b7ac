import type { Report } from './report.js'
import { columns, ranked, remarksOf, rowOf, sentenceOf, storeTitles, verdictOf } from './rows.js'
import type { Figure } from './results.js'
import type { Metric } from './scenario.js'
import type { StoreName } from './system.js'
import { nameOf } from './targets.js'

/** The file names of charts by metric and store; empty where there is none. */
export type ChartFiles = ReadonlyMap<string, string>

/** The key of `ChartFiles`. */
export function chartKey(metric: string, store: StoreName): string {
  return `${metric} ${store}`
}

const stores = ['postgres', 'sqlite'] as const

/**
 * The page about a run, as Markdown.
 * @param remarks - what somebody wrote about it by hand, Markdown too.
 */
export function pageOf(report: Report, charts: ChartFiles, remarks: string | undefined): string {
  const parts = [
    '# Benchmarks',
    '<!-- Written by `npm run bench -- --docs`; what is written by hand stands in tooling/bench/remarks.md. -->',
    introduction(report),
    '## Targets',
    'What pgqrs wants to show, held against the best of the others in its best configuration (medians).',
    tableOf(
      ['target', 'database', 'found', 'best other', ''],
      report.targets
        .filter(({ met }) => met !== undefined)
        .map((judged) => [sentenceOf(judged.target), storeTitles[judged.target.store], ...verdictOf(judged)]),
    ),
    '## Where a rival does better',
    listOf(remarksOf(report), 'Nowhere in this run.'),
    ...(remarks === undefined ? [] : ['## Remarks', remarks.trim()]),
    ...stores.flatMap((store) => figuresOf(report, charts, store)),
    '## Who took part',
    tableOf(
      ['system', 'configuration', 'version', 'what it consists of'],
      report.participants.map(({ name, configuration, version, note }) => [
        name,
        configuration,
        version,
        note,
      ]),
    ),
    ...absentees(report),
    '## No figure',
    tableOf(
      ['scenario', 'database', 'system', 'why'],
      report.failures.map(({ scenario, store, system, reason }) => [scenario, store, system, reason]),
    ),
    fairness,
    repeat,
  ]
  return `${parts.join('\n\n')}\n`
}

function introduction({ machine, databases, startedAt, rounds, minutes, complete, trials }: Report): string {
  const { cpu, cores, memoryGiB, system, fileSystem, node, commit } = machine
  const measured = trials.reduce((most, { round }) => Math.max(most, round), 0)
  const whole = complete ? '' : `The time was over in round ${measured} of ${rounds}. `
  return (
    `${whole}Measured on ${startedAt.slice(0, 10)} in ${Math.round(minutes)} minutes, ${measured} round${measured === 1 ? '' : 's'}, ` +
    `with pgqrs at commit ${commit}.\n\n` +
    listOf([
      `Machine: ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${fileSystem}, ${system}`,
      `Node ${node}, ${databases.join(', ')}; the database, the systems and the bench share the machine`,
    ])
  )
}

function figuresOf(report: Report, charts: ChartFiles, store: StoreName): string[] {
  const found = report.metrics.filter((metric) => ranked(report.figures, metric, store).length > 0)
  if (found.length === 0) return []
  return [`## ${storeTitles[store]}`, ...found.flatMap((metric) => figureOf(report, charts, metric, store))]
}

function figureOf(report: Report, charts: ChartFiles, metric: Metric, store: StoreName): string[] {
  const figures = ranked(report.figures, metric, store)
  const chart = charts.get(chartKey(metric.name, store))
  const rows = figures.map((figure) => rowOf(figure, figures))
  // A column in which nobody has anything is left out.
  const kept = columns.map((_, i) => i).filter((i) => rows.some((row) => row[i] !== ''))
  const pick = (cells: readonly string[]): string[] => kept.map((i) => cells[i] ?? '')
  return [
    `### ${metric.name} on ${storeTitles[store]}: ${metric.title}`,
    ...(chart === undefined ? [] : [`![${metric.title}, ${metric.unit}](${chart})`]),
    `In ${metric.unit}.`,
    tableOf(pick(columns), rows.map(pick)),
    ...remarksOn(figures),
  ]
}

function remarksOn(figures: readonly Figure[]): string[] {
  const remarks = figures.flatMap((figure) => figure.remarks.map((remark) => `${nameOf(figure)}: ${remark}`))
  return remarks.length === 0 ? [] : [listOf(remarks.map(escaped))]
}

function absentees({ absent }: Report): string[] {
  if (absent.length === 0) return []
  return [
    'Could not take part:',
    listOf(
      absent.map(({ system, reason }) => `${system}: ${reason}`),
      '',
    ),
  ]
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function escaped(cell: string): string {
  return cell.replaceAll(/[|<>*_[\]\\]/g, '\\$&').replaceAll('\n', ' ')
}

function listOf(items: readonly string[], otherwise = ''): string {
  return items.length === 0 ? otherwise : items.map((item) => `- ${item}`).join('\n')
}

const fairness = `## Rules

- Everybody has the same payload: JSON of 80 bytes.
- Everybody has the same server: the Postgres that the bench starts, as it comes, with \`fsync\`, \`synchronous_commit\` and
  \`full_page_writes\` on. On SQLite pgqrs and the limit use WAL and \`synchronous = full\`; each rival has what it
  sets by itself.
- Each measurement begins with a database of its own in which nothing else is, and with new processes.
- Done means committed as finished in the database. At the end of a measurement the rows are counted there; when they do
  not match what the calls have confirmed, there is no figure.
- Each system is measured as its documentation first shows it, and in the best configuration its documentation
  knows. A target is held against the better one.
- Rounds are interleaved: in each of them every system is measured once, one after the other, in changing order. Medians
  are shown, with the least and the greatest round. Percentiles are over the samples of all rounds. A rival that failed in
  the first round, or came to less than half of the best rival, is not measured again in that scenario, and D4 is for
  those who came to more in D. Memory is that of the best configurations.
- What begins with a start is not measured: each loop has a warm-up, and of a backlog the first tenth does not count. A
  system that does not finish a backlog in four seconds is measured by what it has finished until then.
- The limit is hand-written SQL for the same rows: arrays in, one statement and one commit for many. It has no fence, no
  retries and no answer to a crash.
- CPU is that of the system's own processes, and of the server's. Bytes are WAL on Postgres, and what the processes hand
  to write calls on SQLite.`

const repeat = `## How to repeat it

The whole run takes about 25 minutes, and wants a machine that does nothing else meanwhile. The rivals are installed
when it starts, into a folder of their own.

\`\`\`sh
npm run bench -- --docs
npm run bench -- --quick
npm run bench -- --systems pgqrs,limit --only D --store sqlite
npm run bench -- --help
\`\`\``
