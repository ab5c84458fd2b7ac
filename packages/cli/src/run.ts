import type { ExitCode } from './exit-codes.js'
import type { Io } from './io.js'
import { createProgram } from './program.js'
import { reportError } from './report.js'
import { Session } from './session.js'

/**
 * Runs the command line, writes to the streams, and returns the exit code. Never rejects.
 * @param argv the arguments without `node` and the script.
 */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const session = new Session(io)
  const json = argv.includes('--json')
  try {
    await createProgram(session, json).parseAsync([...argv], { from: 'user' })
    return session.exitCode
  } catch (error) {
    return reportError(error, io.stderr, json)
  }
}
