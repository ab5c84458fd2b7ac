import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { useDatabase } from './database.js'
import { help, readOptions, UsageError, type DemoOptions } from './options.js'
import { Screen } from './screen.js'
import { look, play, type Stage } from './story.js'

interface Interruption {
  readonly signal: AbortSignal
  /** The exit code a shell expects after it; undefined while there was none. */
  readonly code: () => number | undefined
}

/** Aborts when the person, the system, or the lack of a reader asks the demo to end. */
function interruption(): Interruption {
  const controller = new AbortController()
  let code: number | undefined
  // npm passes Ctrl-C on once more; what is being cleared away then goes on.
  const end = (name: NodeJS.Signals): void => {
    code ??= 128 + constants.signals[name]
    controller.abort(new Error('interrupted'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, end)
  process.stdout.on('error', () => {
    end('SIGPIPE')
  })
  return { signal: controller.signal, code: () => code }
}

async function demo(options: DemoOptions): Promise<number> {
  const interrupted = interruption()
  const screen = new Screen(process.stdout, options)
  const paths = await look(options.directory)
  const folder = await mkdtemp(join(tmpdir(), 'pgqrs-demo-'))
  const stage: Stage = { options, folder, paths, screen, interrupted: interrupted.signal }
  try {
    const dsn = options.dsn ?? embedded(folder)
    return (await useDatabase(dsn, (database) => play({ ...stage, dsn }, database))) ? 0 : 1
  } catch (error) {
    screen.live(undefined)
    const code = interrupted.code()
    if (code === undefined) screen.line(`\n  ${screen.colors.red('✗')} ${said(error)}`)
    else screen.line('\n  interrupted')
    return code ?? 1
  } finally {
    screen.live(undefined)
    if (options.keep) screen.line(`  Kept in ${folder}\n`)
    else await rm(folder, { recursive: true, force: true })
  }
}

/** A database of the demo's own, which the settings of the person's other databases do not concern. */
function embedded(folder: string): string {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PGQRS_')) Reflect.deleteProperty(process.env, name)
  }
  return `sqlite:${join(folder, 'demo.db')}`
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options !== undefined) return await demo(options)
    console.log(help)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\nSee npm run demo -- --help.`)
    return 2
  }
}

process.exit(await main(process.argv.slice(2)))
