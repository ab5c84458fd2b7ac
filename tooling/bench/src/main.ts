import { writeFile } from 'node:fs/promises'
import { startPostgresDatabases, startSqliteDatabases, type Databases } from './databases.js'
import { circumstances, refusalsOf } from './guards.js'
import { attendance, installOnDemand, type Attendance } from './install-on-demand.js'
import { thisMachine } from './machine.js'
import { chosen, readOptions, usage, UsageError, type Options } from './options.js'
import { failuresOf, type Report } from './report.js'
import { figuresOf, type Trialled } from './results.js'
import { lowerIsBetter } from './rows.js'
import { runAll } from './run.js'
import type { Scenario } from './scenario.js'
import { scenariosFor } from './scenarios/index.js'
import { progressLine, screenOf } from './screen.js'
import type { System } from './system.js'
import { allSystems, ownNames } from './systems.js'
import { judge } from './targets.js'

/** The whole run must be over after this, with the report. */
const budgetMs = { full: 24 * 60_000, quick: 3.7 * 60_000 }

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options.help) {
    console.log(usage)
    return 0
  }
  const systems = await systemsFor(options)
  const needsBuild = systems.some(({ name }) => name === 'pgqrs') && !options.staleBuild
  const refusals = refusalsOf(await circumstances(needsBuild))
  if (refusals.length > 0) {
    for (const reason of refusals) console.error(`The bench does not run: ${reason}.`)
    return 1
  }
  const there = await gather(systems)
  const report = await measured(options, args, there)
  console.log(screenOf(report))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`)
  if (options.docs) {
    const { writeDocs } = await import('./docs.js')
    console.log(`Wrote ${await writeDocs(report)}`)
  }
  return report.figures.length === 0 ? 1 : 0
}

async function systemsFor(options: Options): Promise<readonly System[]> {
  const all = await allSystems()
  if (options.systems === undefined) return all
  const names = [...new Set(all.map(({ name }) => name))]
  const wanted = chosen('system', options.systems.join(','), names)
  return all.filter(({ name }) => wanted.includes(name))
}

/** Installs what the chosen systems need that is not there, and says who cannot take part. */
async function gather(systems: readonly System[]): Promise<Attendance> {
  const needsInstall = systems.some(({ name }) => !ownNames.includes(name))
  const failure = needsInstall ? await installOnDemand() : undefined
  const there = await attendance(systems, ownNames, failure)
  for (const { system, reason } of there.absent) console.error(`${system} cannot take part: ${reason}`)
  return there
}

async function measured(options: Options, args: readonly string[], there: Attendance): Promise<Report> {
  const started = performance.now()
  const startedAt = new Date().toISOString()
  const wanted = scenariosFor(options.only, options.quick)
  const metrics = wanted.flatMap((scenario) => scenario.metrics)
  const { trials, complete, versions } = await measureAll(options, there.present, wanted, started)
  const figures = figuresOf(trials, metrics)
  const kinds = Object.fromEntries(there.present.map(({ name, kind }) => [name, kind]))
  return {
    startedAt,
    minutes: (performance.now() - started) / 60_000,
    arguments: args,
    quick: options.quick,
    rounds: options.rounds,
    complete,
    machine: await thisMachine(),
    databases: versions,
    participants: there.present.map(({ name, configuration, kind, note }) => {
      return { name, configuration, version: there.versions[name] ?? '', kind, note }
    }),
    absent: there.absent,
    metrics,
    figures,
    targets: judge(figures, kinds, lowerIsBetter(metrics)),
    failures: failuresOf(trials, there.present, options.stores, options.only),
    trials,
  }
}

interface Finished {
  readonly trials: readonly Trialled[]
  readonly complete: boolean
  readonly versions: readonly string[]
}

async function measureAll(
  options: Options,
  systems: readonly System[],
  wanted: readonly Scenario[],
  started: number,
): Promise<Finished> {
  const databases: Databases[] = []
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
  try {
    for (const store of options.stores) {
      databases.push(store === 'postgres' ? await startPostgresDatabases() : await startSqliteDatabases())
    }
    const { trials, complete } = await runAll({
      options,
      systems,
      scenarios: wanted,
      databases,
      onResult: (trial) => console.log(progressLine(trial)),
      deadlineMs: started + (options.quick ? budgetMs.quick : budgetMs.full),
      signal: stop.signal,
    })
    return { trials, complete, versions: databases.map(({ version }) => version) }
  } finally {
    for (const each of databases) await each.stop()
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error)
    process.exit(error instanceof UsageError ? 2 : 1)
  },
)
