import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addConfigCommand } from './commands/config.js'
import { addDeadCommands } from './commands/dead.js'
import { addInstallCommands } from './commands/install.js'
import { addMessageCommands } from './commands/message.js'
import { addQueueCommands } from './commands/queue.js'
import { addRunCommands } from './commands/run.js'
import { addStatusCommand } from './commands/status.js'
import { addWorkerCommands } from './commands/worker.js'
import { exitCodesHelp } from './exit-codes.js'
import { terminalWidth, type OutputStream } from './io.js'
import { reportUsage } from './report.js'
import type { Session } from './session.js'

const firstLines = `
The database is the first of these that is given: --dsn, PGQRS_DSN, "dsn" in the configuration file, DATABASE_URL.
Others on the machine can read --dsn in the list of processes: give a DSN with a password as PGQRS_DSN, or as
--dsn - on standard input. Its scheme picks the driver (postgres:// sqlite: libsql:// …), a package of its own.
`

const jsonHelp = `
With --json the answer is one JSON document on standard output, an error one on standard error:
{"error":{"code":"…","message":"…"}}. Dates are ISO strings, bigints strings, a Map is an array of pairs, a Set an
array, bytes are base64, what is undefined is null.
`

/** The command line. Parsing throws a CommanderError instead of ending the process. */
export function createProgram(session: Session, json: boolean): Command {
  const { stdout, stderr } = session.io
  const program = new Command('pgqrs')
    .description('Install, verify and operate pgqrs: durable queues and workflows in your own database.')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .option('--dsn <dsn>', 'the database (prefer PGQRS_DSN; - reads it from standard input)')
    .option('--schema <name>', 'Postgres: the schema the tables are in')
    .option('--config <file>', 'read this file instead of pgqrs.yaml')
    .option('--json', 'answer with one JSON document')
    .option('--no-color', 'no colours')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text) => {
        reportUsage(text, stderr, json)
      },
      getOutHelpWidth: () => widthOf(stdout),
      getErrHelpWidth: () => widthOf(stderr),
    })
    .exitOverride()
    .addHelpText('after', firstLines + exitCodesHelp + '\n' + jsonHelp + rootExamples)
  addInstallCommands(program, session)
  addConfigCommand(program, session)
  addStatusCommand(program, session)
  addQueueCommands(program, session)
  addMessageCommands(program, session)
  addDeadCommands(program, session)
  addWorkerCommands(program, session)
  addRunCommands(program, session)
  return program
}

const rootExamples = `
Examples:
  $ export PGQRS_DSN=postgres://app@localhost/app
  $ pgqrs install
  $ pgqrs verify
  $ pgqrs status
  $ pgqrs queue --help`

function widthOf(stream: OutputStream): number {
  return Math.min(terminalWidth(stream) ?? 100, 120)
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}
