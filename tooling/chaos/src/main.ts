import { check, printReport } from '@pgqrs/checker'
import { runChaos } from './chaos.js'
import { injected } from './injected.js'
import { help, readOptions, UsageError, type ChaosOptions } from './options.js'

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options === undefined) {
      console.log(help())
      return 0
    }
    const { history, folder, inapplicable, leftOut } = await runChaos(options, console.log)
    const report = check(history, { inapplicable })
    if (options.keep) console.log(`kept in ${folder}`)
    printReport(report, { repeat: repeat(options), notes: injected(history), leftOut })
    return report.ok ? 0 : 1
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

function repeat({ store, seconds, seed, workers, faults, sabotage }: ChaosOptions): string {
  const names = faults.map(({ name }) => name).join(',') || 'none'
  const broken = sabotage === undefined ? '' : ` --sabotage ${sabotage}`
  return `npm run chaos -- --store ${store} --seconds ${seconds} --seed ${seed} --workers ${workers} --faults ${names}${broken}`
}

// Ends in the usual way, so that nothing is left behind.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code))
}
process.exit(await main(process.argv.slice(2)))
