import { parseArgs } from 'node:util'
import type { StoreKind } from '@pgqrs/checker'
import { allFaults } from './faults/all.js'
import { everyStore, type Fault } from './faults/fault.js'
import { everything, type Kind } from './load/plan.js'
import { sabotages } from './sabotage/all.js'
import type { Sabotage } from './sabotage/sabotage.js'

/** What a run was asked to be. */
export interface ChaosOptions {
  readonly store: StoreKind
  readonly seconds: number
  readonly seed: number
  readonly faults: readonly Fault[]
  readonly workers: number
  /** What is broken on purpose. */
  readonly sabotage: string | undefined
  /** What the load consists of, and how often of each. */
  readonly weights: Readonly<Partial<Record<Kind, number>>>
  /** Calls that bring something in, each second. */
  readonly perSecond: number
  /** Leave the folder with history and database. */
  readonly keep: boolean
}

/** Something on the command line cannot be right. */
export class UsageError extends Error {}

/** The text of `--help`. */
export function help(): string {
  const faults = allFaults.map(({ name, stores }) => `    ${name.padEnd(20)} ${stores.join(', ')}`)
  return `pgqrs chaos: a load in several processes, faults, and a checker over what happened.

Usage: npm run chaos -- --store ${everyStore.join('|')} [options]

  --seconds <n>     how long the load lasts (default 60)
  --seed <n>        the same seed gives the same load and the same faults at the same times (default 1)
  --faults <a,b,…>  only these; "none" for none (default: all that the store knows)
  --workers <n>     worker processes (default 3)
  --sabotage <name> break the engine on purpose, with the load and the faults that show it:
                    ${Object.keys(sabotages).join(', ')}
  --load <a,b,…>    only these kinds of calls: ${Object.keys(everything).join(', ')}
  --keep            leave the history and the database where they are

Faults:
${faults.join('\n')}`
}

/**
 * Reads the command line. Undefined: show the help.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): ChaosOptions | undefined {
  const values = parse(args)
  if (values.help) return undefined
  const sabotage = sabotageOf(values.sabotage)
  const wanted = values.store ?? sabotage?.stores[0] ?? 'sqlite'
  const store = everyStore.find((name) => name === wanted)
  if (store === undefined) throw new UsageError(`--store must be one of ${everyStore.join(', ')}.`)
  return {
    store,
    seconds: whole('seconds', values.seconds ?? String(sabotage?.seconds ?? 60), 1),
    seed: whole('seed', values.seed, 0),
    workers: whole('workers', values.workers ?? String(sabotage?.workers ?? 3), 1),
    faults: faultsOf(values.faults ?? (sabotage && (sabotage.faults.join(',') || 'none')), store),
    sabotage: values.sabotage,
    // The stand-in of a libSQL server takes its time.
    perSecond: sabotage?.perSecond ?? (store === 'turso' ? 8 : 30),
    weights: values.load === undefined && sabotage !== undefined ? sabotage.load : weightsOf(values.load),
    keep: values.keep,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        store: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string', default: '1' },
        faults: { type: 'string' },
        workers: { type: 'string' },
        sabotage: { type: 'string' },
        load: { type: 'string' },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function sabotageOf(name: string | undefined): Sabotage | undefined {
  if (name === undefined) return undefined
  const sabotage = Object.hasOwn(sabotages, name) ? sabotages[name] : undefined
  if (sabotage !== undefined) return sabotage
  throw new UsageError(`--sabotage must be one of ${Object.keys(sabotages).join(', ')}.`)
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least)
    throw new UsageError(`--${name} must be a whole number from ${least}.`)
  return value
}

function weightsOf(names: string | undefined): ChaosOptions['weights'] {
  if (names === undefined) return everything
  const weights: Partial<Record<Kind, number>> = {}
  for (const name of names.split(',')) {
    const kind = (Object.keys(everything) as Kind[]).find((one) => one === name)
    if (kind === undefined) throw new UsageError(`There is no kind of call ${name}. See --help.`)
    weights[kind] = everything[kind]
  }
  return weights
}

function faultsOf(names: string | undefined, store: StoreKind): Fault[] {
  if (names === undefined) return allFaults.filter((fault) => fault.stores.includes(store))
  if (names === 'none') return []
  return names.split(',').map((name) => {
    const fault = allFaults.find((one) => one.name === name)
    if (fault === undefined) throw new UsageError(`There is no fault ${name}. See --help.`)
    if (!fault.stores.includes(store)) throw new UsageError(`${name} is no fault of ${store}.`)
    return fault
  })
}
