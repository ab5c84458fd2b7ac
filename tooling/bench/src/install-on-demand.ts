import { execFile } from 'node:child_process'
import { readFile, access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installedVersion, onDemandFolder } from './on-demand.js'
import { scenarioNames, type System } from './system.js'

const pnpm = fileURLToPath(new URL('../../../node_modules/.bin/pnpm', import.meta.url))

/**
 * Installs what only the bench needs, if it is not there as its lockfile says. All of it is optional.
 * @returns why it could not be installed, or undefined.
 */
export async function installOnDemand(): Promise<string | undefined> {
  if (await isInstalled()) return undefined
  try {
    await access(pnpm)
    const args = ['install', '--ignore-workspace', '--frozen-lockfile', '--dir', onDemandFolder]
    // pg-boss and graphile-worker declare Node 22 and run on Node 20: what they declare is taken as given, so that their
    // newest versions are measured. What does not run is reported by the bench itself.
    args.push('--config.node-version=22.18.0')
    await promisify(execFile)(pnpm, args, {
      cwd: onDemandFolder,
      env: { ...process.env, CI: 'true' },
      maxBuffer: 64e6,
    })
    return undefined
  } catch (error) {
    const { stdout = '', message } = error as Error & { stdout?: string }
    const reason = stdout.split('\n').find((line) => /ERR_PNPM|ERROR/.test(line))
    return (reason ?? message).trim()
  }
}

/** pnpm writes its copy of the lockfile last, so a copy that is equal means an install that was finished. */
async function isInstalled(): Promise<boolean> {
  const textOf = (path: string): Promise<string | undefined> =>
    readFile(`${onDemandFolder}${path}`, 'utf8').catch(() => undefined)
  const [wanted, there] = [await textOf('pnpm-lock.yaml'), await textOf('node_modules/.pnpm/lock.yaml')]
  return wanted !== undefined && wanted === there
}

/** A system that cannot take part, and why. */
export interface Absent {
  readonly system: string
  readonly reason: string
}

/** Who can take part, with the version of each, and who cannot. */
export interface Attendance {
  readonly present: readonly System[]
  readonly versions: Readonly<Record<string, string>>
  readonly absent: readonly Absent[]
}

/**
 * Sorts out who is there.
 * @param own - names of those that need nothing on demand.
 * @param failure - why the install failed, if it did.
 */
export async function attendance(
  systems: readonly System[],
  own: readonly string[],
  failure: string | undefined,
): Promise<Attendance> {
  const versions: Record<string, string> = {}
  const absent = new Map<string, string>()
  for (const { name, packageName } of systems) {
    const version = own.includes(name) ? await ownVersion() : await installedVersion(packageName)
    if (version !== undefined) versions[name] = version
    else absent.set(name, failure ?? `${packageName} is not installed`)
    const refusal = refusalOf(systems.filter((system) => system.name === name))
    if (refusal !== undefined) absent.set(name, refusal)
  }
  return {
    present: systems.filter(({ name }) => !absent.has(name)),
    versions,
    absent: [...absent].map(([system, reason]) => ({ system, reason })),
  }
}

/** Why a system can be measured in no scenario at all, if that is so. */
function refusalOf(configurations: readonly System[]): string | undefined {
  const answers = configurations.flatMap((system) =>
    system.stores.flatMap((store) => scenarioNames.map((scenario) => system.supports(scenario, store))),
  )
  if (answers.includes(true)) return undefined
  return answers.find((answer) => answer !== true && answer !== 'as best')?.toString()
}

async function ownVersion(): Promise<string> {
  const file = new URL('../../../packages/core/package.json', import.meta.url)
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string }
  return version
}
