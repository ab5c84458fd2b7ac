import { parseArgs } from 'node:util'
import { scenarioNames, type ScenarioName, type StoreName } from './system.js'

/** What a run of the bench was asked for. */
export interface Options {
  readonly only: readonly ScenarioName[]
  /** Names of systems, or undefined for all. */
  readonly systems: readonly string[] | undefined
  readonly stores: readonly StoreName[]
  readonly rounds: number
  readonly quick: boolean
  /** Where to write the results as JSON. */
  readonly json: string | undefined
  /** Whether docs/benchmarks is written. */
  readonly docs: boolean
  /** Whether a build that is older than its sources may be measured. */
  readonly staleBuild: boolean
  readonly help: boolean
}

/** Asked for something there is not; the message says what there is. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What `--help` prints. */
export const usage = `npm run bench -- [options]

  --only E1,D         scenarios: ${scenarioNames.join(' ')}
  --systems a,b       systems by name, such as pgqrs,limit
  --store NAME        postgres or sqlite; both when left out
  --rounds N          rounds, at least 1; 3 when left out, 1 with --quick
  --quick             short measurements: under 4 minutes, numbers to look at and not to publish
  --json FILE         writes the results as JSON
  --docs              writes charts and the page into docs/benchmarks
  --stale-build       measures what is built although the sources are newer; not together with --docs
  --help              this text`

const stores: readonly StoreName[] = ['postgres', 'sqlite']

/**
 * Reads the arguments.
 * @throws {UsageError} for an option, scenario or store there is not, or a number of rounds that is none.
 */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args)
  const quick = values.quick ?? false
  const docs = values.docs ?? false
  const staleBuild = values['stale-build'] ?? false
  if (docs && quick) throw new UsageError('--docs publishes a whole run: it takes no --quick')
  if (docs && staleBuild) throw new UsageError('--docs publishes what is built: it takes no --stale-build')
  return {
    only: values.only === undefined ? scenarioNames : chosen('scenario', values.only, scenarioNames),
    systems: values.systems === undefined ? undefined : listOf(values.systems),
    stores: values.store === undefined ? stores : chosen('store', values.store, stores),
    rounds: values.rounds === undefined ? (quick ? 1 : 3) : count(values.rounds),
    quick,
    json: values.json,
    docs,
    staleBuild,
    help: values.help ?? false,
  }
}

/**
 * Those of `known` that a comma-separated list names, in the order of `known`.
 * @throws {UsageError} for a name that is not among them.
 */
export function chosen<Name extends string>(what: string, list: string, known: readonly Name[]): Name[] {
  const wanted = listOf(list)
  const unknown = wanted.filter((name) => !known.some((each) => each === name))
  if (unknown.length > 0) {
    throw new UsageError(`there is no ${what} ${unknown.join(', ')}; there are ${known.join(', ')}`)
  }
  if (wanted.length === 0)
    throw new UsageError(`there is no ${what} in the list; there are ${known.join(', ')}`)
  return known.filter((name) => wanted.includes(name))
}

function listOf(list: string): string[] {
  const names = list.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

function count(text: string): number {
  const rounds = Number(text)
  if (Number.isInteger(rounds) && rounds >= 1) return rounds
  throw new UsageError(`--rounds takes a whole number from 1 on, and not ${text}`)
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        systems: { type: 'string' },
        store: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        json: { type: 'string' },
        docs: { type: 'boolean' },
        'stale-build': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
