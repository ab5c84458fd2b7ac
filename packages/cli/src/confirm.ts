import { confirm } from '@clack/prompts'
import { Option, type Command } from 'commander'
import { PgqrsError } from '@pgqrs/core'
import { escapeText, safe } from './output/escape.js'
import type { StoreWork } from './session.js'

/** Options of a command that destroys something. */
export interface ConfirmOptions {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** Gives a command the option `--yes`. */
export function addConfirmation(command: Command): Command {
  return command.option('-y, --yes', 'do not ask')
}

/** Gives a command the option `--dry-run`. */
export function addDryRun(command: Command): Command {
  return command.addOption(new Option('--dry-run', 'say what would be done, and do nothing'))
}

/**
 * Shows where a destructive command is about to work, and asks unless `--yes` says it all. Returns false when it is a
 * dry run and nothing is to be done.
 * @param what what is about to be done, such as `drop every table of pgqrs`.
 * @throws PgqrsError CONFIRMATION_REQUIRED when nobody can be asked; DECLINED when the answer is no
 */
export async function confirmed(work: StoreWork, what: string, options: ConfirmOptions): Promise<boolean> {
  const { io, out, target } = work
  if (options.dryRun === true) {
    out.answer({ dryRun: true, target, would: what }, () => out.line(safe`On ${target} this would ${what}.`))
    return false
  }
  const canAsk = io.stdin.isTTY === true && io.stderr.isTTY === true
  if (!out.isJson || canAsk) io.stderr.write(`Target: ${escapeText(target)}\n`)
  if (options.yes === true) return true
  if (!canAsk) {
    throw new PgqrsError(
      'CONFIRMATION_REQUIRED',
      `This would ${what}, and there is no terminal to ask on. Repeat it with --yes to do it.`,
    )
  }
  const answer = await confirm({
    message: escapeText(`Really ${what}?`),
    initialValue: false,
    input: io.stdin,
    output: io.stderr,
  })
  if (answer !== true) throw new PgqrsError('DECLINED', 'Nothing was changed.')
  return true
}
