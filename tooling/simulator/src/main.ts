import { parseArgs } from 'node:util'
import { printReport } from '@pgqrs/checker'
import pc from 'picocolors'
import { campaign, type Report } from './campaign.js'
import { sabotages, type SabotageName } from './sabotage.js'
import { Simulator } from './simulate.js'

const usage = `Usage: npm run simulate -- [options]

  --schedules N     how many schedules to run (default 1000)
  --seed N          the seed they are drawn from (default 1)
  --path P          only the schedule with this path, as a failure has printed it
  --sabotage NAME   break the engine on purpose: ${Object.keys(sabotages).join(', ')}
`

interface Settings {
  readonly schedules: number
  readonly seed: number
  readonly path?: string
  readonly sabotage?: SabotageName
}

function settings(): Settings | undefined {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      path: { type: 'string' },
      sabotage: { type: 'string' },
    },
  })
  const schedules = Number(values.schedules)
  const seed = Number(values.seed)
  const { path, sabotage } = values
  if (!Number.isInteger(schedules) || schedules < 1 || !Number.isInteger(seed)) return undefined
  if (sabotage !== undefined && !isSabotage(sabotage)) return undefined
  return {
    schedules,
    seed,
    ...(path === undefined ? {} : { path }),
    ...(sabotage === undefined ? {} : { sabotage }),
  }
}

function isSabotage(name: string): name is SabotageName {
  return Object.hasOwn(sabotages, name)
}

function tell(report: Report, given: Settings, seconds: number, cpuSeconds: number): void {
  const { failure } = report
  const { seed } = given
  if (failure !== undefined) {
    console.log(failure.outcome.trace.join('\n'))
    console.log(`\n${pc.bold('The schedule')}, shrunk ${failure.shrinks} times:`)
    console.log(JSON.stringify(failure.schedule))
    console.log(`\n${pc.red('What must not be:')}\n  ${failure.outcome.violations.join('\n  ')}`)
    const sabotage = given.sabotage === undefined ? '' : ` --sabotage ${given.sabotage}`
    console.log(`\nAgain: npm run simulate -- --seed ${seed} --path ${failure.path}${sabotage}\n`)
  }
  printReport(report.invariants, {
    line: (text) => {
      // The last line of this program counts schedules.
      if (!/^\d+ passed, \d+ failed$/.test(text)) console.log(text)
    },
  })
  const rate = (report.schedules / seconds).toFixed(0)
  const rateOfCore = (report.schedules / cpuSeconds).toFixed(0)
  console.log(
    `${report.schedules} schedules of seed ${seed} in ${seconds.toFixed(1)} s (${rate}/s; ${rateOfCore} for each second of one core): ` +
      `${report.calls} calls to the database, ${report.faults} faults, ${report.events} events, ` +
      `${(report.virtualMs / 3_600_000).toFixed(1)} h of virtual time`,
  )
  const failed = failure === undefined ? blind(report) : 1
  console.log(`${report.schedules - (failure === undefined ? 0 : 1)} passed, ${failed} failed`)
}

// Fewer may well give some invariant nothing to look at.
const ENOUGH_FOR_ALL = 500

/** Invariants that looked at nothing, though there was enough to see. */
function blind({ schedules, invariants }: Report): number {
  return schedules < ENOUGH_FOR_ALL ? 0 : invariants.failed
}

async function main(): Promise<number> {
  const given = settings()
  if (given === undefined) {
    console.error(usage)
    return 2
  }
  const simulator = await Simulator.open()
  const begun = performance.now()
  const cpu = process.cpuUsage()
  try {
    const report = await campaign(simulator, given)
    const { user, system } = process.cpuUsage(cpu)
    tell(report, given, (performance.now() - begun) / 1000, (user + system) / 1e6)
    return report.failure === undefined && blind(report) === 0 ? 0 : 1
  } finally {
    simulator.close()
  }
}

// Errors are made by the thousand, and nobody looks at where.
Error.stackTraceLimit = 0
process.exitCode = await main()
