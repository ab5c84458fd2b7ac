import type { Command } from 'commander'
import { addCommand } from '../command.js'
import { addConfirmation, addDryRun, confirmed, type ConfirmOptions } from '../confirm.js'
import { exitCodes, type ExitCode } from '../exit-codes.js'
import { safe } from '../output/escape.js'
import type { Session, StoreWork } from '../session.js'

/** `install`, `verify`, `uninstall`. */
export function addInstallCommands(program: Command, session: Session): void {
  addCommand(program, {
    usage: 'install',
    description: 'Create the tables or bring them to this version. Safe to repeat, also at the same time.',
    examples: ['install --dsn sqlite:app.db', 'install --dsn postgres://localhost/app --schema jobs'],
  }).action((_options: unknown, command: Command) => session.withStore(command, install, { create: true }))

  addCommand(program, {
    usage: 'verify',
    description:
      'Compare tables, columns, indexes and version with what this version needs. Ends with 1 when something differs, and prints each difference on a line of its own.',
    examples: ['verify', 'verify --json'],
  }).action((_options: unknown, command: Command) => session.withStore(command, verify))

  const uninstalling = addCommand(program, {
    usage: 'uninstall',
    description: 'Drop every table of pgqrs with everything in it. Asks first.',
    examples: ['uninstall --dry-run', 'uninstall --yes'],
  })
  addDryRun(addConfirmation(uninstalling)).action((options: ConfirmOptions, command: Command) =>
    session.withStore(command, (work) => uninstall(work, options)),
  )
}

async function install({ store, out, target }: StoreWork): Promise<undefined> {
  const report = await store.admin.install()
  out.answer({ ...report, target }, () => {
    for (const part of report.restored) out.line(safe`Restored ${part}.`)
    for (const name of report.applied) out.line(safe`Applied ${name}.`)
    if (report.applied.length > 0) out.line(safe`Installed schema version ${report.to} in ${target}.`)
    else if (report.restored.length === 0) {
      out.line(safe`Nothing to do: ${target} has schema version ${report.to}.`)
    }
  })
}

async function verify({ store, out, target }: StoreWork): Promise<ExitCode> {
  const report = await store.admin.verify()
  out.answer({ ...report, target }, () => {
    for (const difference of report.differences) out.line(safe`${difference}`)
    if (report.ok) out.line(safe`ok: ${target} has schema version ${report.version}, nothing differs.`)
  })
  return report.ok ? exitCodes.ok : exitCodes.no
}

async function uninstall(work: StoreWork, options: ConfirmOptions): Promise<undefined> {
  const { store, out, target } = work
  if (!(await confirmed(work, 'drop every table of pgqrs with everything in it', options))) return
  await store.admin.uninstall({ confirm: 'drop every table of pgqrs' })
  out.answer({ uninstalled: true, target }, () => out.line(safe`Dropped every table of pgqrs.`))
}
