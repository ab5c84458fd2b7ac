import inspector from 'node:inspector'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What decides whether figures of this process would mean anything. */
export interface Circumstances {
  readonly nodeOptions: string
  readonly execArgv: readonly string[]
  readonly inspectorUrl: string | undefined
  readonly isDebugBuild: boolean
  readonly coverageFolder: string | undefined
  readonly builds: readonly Build[]
}

/** When a package's sources and its build were last written, in ms since the epoch. */
export interface Build {
  readonly name: string
  readonly sourceMs: number
  /** Undefined when it has not been built. */
  readonly builtMs: number | undefined
}

/** Flags of Node and V8 that make code slower or faster than what users run. */
const telling =
  /^--(inspect|prof|cpu-prof|heap-prof|heapsnapshot|trace|stress|jitless|interpreted|no-opt|no-turbo|no-sparkplug|no-maglev|no-lazy|always|max-lazy|opt|turbo|sparkplug|maglev|single-threaded|predictable|debug|gc-interval|no-concurrent|experimental-test-coverage)/

/** Why the bench does not run under these circumstances; nothing when it may. */
export function refusalsOf(circumstances: Circumstances): string[] {
  const { nodeOptions, execArgv, inspectorUrl, isDebugBuild, coverageFolder, builds } = circumstances
  const flags = [...nodeOptions.split(/\s+/), ...execArgv].map((flag) => flag.replaceAll('_', '-'))
  const found = flags.filter((flag) => telling.test(flag))
  return [
    ...(inspectorUrl === undefined
      ? []
      : ['an inspector is attached to this process; run it without a debugger']),
    ...(isDebugBuild ? ['this Node is a debug build; take a release build'] : []),
    ...(coverageFolder ? ['coverage is collected (NODE_V8_COVERAGE); unset it'] : []),
    ...found.map((flag) => `Node was given ${flag}, which changes how fast code runs; leave it out`),
    ...builds.flatMap(refusalOfBuild),
  ]
}

function refusalOfBuild({ name, sourceMs, builtMs }: Build): string[] {
  if (builtMs === undefined) return [`${name} is not built; run npm run build`]
  if (builtMs >= sourceMs) return []
  return [
    `the build of ${name} is older than its sources; run npm run build (with -- --force if they are the same)`,
  ]
}

/**
 * The circumstances of this process.
 * @param needsBuild - whether it matters that pgqrs's build is new.
 */
export async function circumstances(needsBuild: boolean): Promise<Circumstances> {
  const { variables } = process.config as {
    variables: { is_debug?: number; v8_enable_debugging_features?: number }
  }
  return {
    nodeOptions: process.env['NODE_OPTIONS'] ?? '',
    execArgv: process.execArgv,
    inspectorUrl: inspector.url(),
    isDebugBuild: process.features.debug || variables.v8_enable_debugging_features === 1,
    coverageFolder: process.env['NODE_V8_COVERAGE'],
    builds: needsBuild ? await Promise.all(['core', 'postgres', 'sqlite'].map(buildOf)) : [],
  }
}

async function buildOf(name: string): Promise<Build> {
  const folder = fileURLToPath(new URL(`../../../packages/${name}`, import.meta.url))
  const built = await stat(join(folder, 'dist/index.js')).catch(() => undefined)
  return { name: `@pgqrs/${name}`, sourceMs: await newestIn(join(folder, 'src')), builtMs: built?.mtimeMs }
}

async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !/\.test(-d)?\.ts$/.test(entry.name))
  const times = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).mtimeMs),
  )
  return Math.max(0, ...times)
}
