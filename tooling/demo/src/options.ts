import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { databaseOf } from './database.js'

/** What the demo was asked to do. */
export interface DemoOptions {
  /** Undefined: an embedded database of the demo's own. */
  readonly dsn: string | undefined
  /** The directory to archive, absolute. */
  readonly directory: string
  /** Leave the temporary folder and, in a given database, the queues. */
  readonly keep: boolean
  readonly color: boolean
}

const known = {
  options: {
    dsn: { type: 'string' },
    dir: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    'no-color': { type: 'boolean', default: false },
  },
} as const

/** Something on the command line cannot be right. */
export class UsageError extends Error {}

/** The text of `--help`. */
export const help = `pgqrs demo: a workflow archives a directory, loses its process to SIGKILL, and finishes in another.

Usage: npm run demo [-- options]

  --dir <directory>   archive this directory (default: docs/ of this repository)
  --dsn <dsn>         run on postgres://… or sqlite:… (default: SQLite in a temporary folder);
                      creates the tables of pgqrs and a table demo_archives where they are absent
  --keep              keep the temporary folder, and in a database of yours the run and its queues
  --no-color          no colours (NO_COLOR=1 does the same)
  --help              this text

Exit code: 0 when every check holds, 1 when one does not, 2 when an option is wrong.

Examples:
  npm run demo
  npm run demo -- --dir ~/Pictures/2026 --keep
  npm run demo -- --dsn postgres://postgres@localhost/app`

/**
 * Reads the command line. Undefined: show the help.
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): DemoOptions | undefined {
  const { dsn, dir, ...flags } = parse(args)
  if (flags.help) return undefined
  if (dsn !== undefined && databaseOf(dsn) === undefined) {
    throw new UsageError('--dsn must be postgres://… or sqlite: and a file, which two processes can share.')
  }
  return {
    dsn,
    directory:
      dir === undefined ? fileURLToPath(new URL('../../../docs', import.meta.url)) : directoryAt(dir),
    keep: flags.keep,
    color: !flags['no-color'],
  }
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<typeof known>>['values'] {
  try {
    return parseArgs({ ...known, args: [...args] }).values
  } catch (error) {
    // Node's first sentence names the option; the rest explains positional arguments, which the demo has not.
    const [said = ''] = (error as Error).message.split(/\. |\n/)
    throw new UsageError(`${said.replace(/\.$/, '')}.`)
  }
}

function directoryAt(path: string): string {
  // npm runs scripts in the package's folder and says where the person stood.
  const absolute = resolve(process.env['INIT_CWD'] ?? '.', path)
  if (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true) return absolute
  throw new UsageError(`--dir: ${absolute} is not a directory.`)
}
