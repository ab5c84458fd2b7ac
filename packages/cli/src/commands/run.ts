import type { Command } from 'commander'
import type { MessageInfo, StepInfo } from '@pgqrs/core'
import { addCommand, addGroup, EXAMPLE_ID } from '../command.js'
import { safe } from '../output/escape.js'
import { errorLine, type Output } from '../output/output.js'
import type { Column } from '../output/table.js'
import { relative } from '../output/time.js'
import type { Session, StoreWork } from '../session.js'
import {
  addPageOptions,
  addStatusOption,
  answerPage,
  messageColumns,
  pageOptions,
  preview,
  statusColumn,
  statusOption,
  type PageOptions,
} from './listing.js'
import { showMessage } from './message.js'
import { addResultCommand } from './run-result.js'

interface RunListOptions extends PageOptions {
  readonly workflow?: string
  readonly status?: string
}

/** `run list|show|cancel|retry|result`. */
export function addRunCommands(program: Command, session: Session): void {
  const group = addGroup(program, {
    usage: 'run',
    description: 'Runs of workflows.',
    examples: ['run list --workflow archive_files', `run show ${EXAMPLE_ID}`],
  })
  const listing = addCommand(group, {
    usage: 'list',
    description: 'List runs, newest first.',
    examples: ['run list --workflow archive_files --status error', 'run list --json'],
  }).option('--workflow <name>', 'only of this workflow')
  addPageOptions(addStatusOption(listing)).action((options: RunListOptions, command: Command) =>
    session.withStore(command, (work) => list(work, options)),
  )

  addCommand(group, {
    usage: 'show <id>',
    description: 'Show a run and its steps.',
    examples: [`run show ${EXAMPLE_ID}`, `run show ${EXAMPLE_ID} --json`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, (work) => show(work, id)),
  )

  addCommand(group, {
    usage: 'cancel <id>',
    description: 'Ask a run to stop. What nobody executes is cancelled at once.',
    examples: [`run cancel ${EXAMPLE_ID} --reason "wrong input"`],
  })
    .option('--reason <text>', 'kept with the run')
    .action((id: string, { reason }: { reason?: string }, command: Command) =>
      session.withStore(command, async ({ store, out }) => {
        const status = await store.admin.runs.cancel(id, reason)
        out.answer({ id, status }, () => out.line(safe`Run ${id} is ${status}.`))
        return undefined
      }),
    )

  addCommand(group, {
    usage: 'retry <id>',
    description: 'Run a failed run again, keeping its checkpoints: only the step that failed it runs again.',
    examples: [`run retry ${EXAMPLE_ID}`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      await store.admin.runs.retry(id)
      out.answer({ id, status: 'queued' }, () => out.line(safe`Run ${id} is queued again.`))
      return undefined
    }),
  )
  addResultCommand(group, session)
}

async function list({ store, out }: StoreWork, options: RunListOptions): Promise<undefined> {
  const page = await store.admin.runs.list({
    ...pageOptions(options),
    ...statusOption(options.status),
    ...(options.workflow === undefined ? {} : { workflow: options.workflow }),
  })
  const { id, queue, status, key, enqueued } = messageColumns(out)
  const workflow = { ...queue, title: 'workflow' }
  const finished = { title: 'finished', of: (row: MessageInfo) => relative(row.finishedAt), isWhole: true }
  const ending = {
    title: 'output or error',
    of: (row: MessageInfo) => (row.error === undefined ? preview(row.output) : errorLine(row.error)),
  }
  answerPage(out, page, [id, workflow, status, key, enqueued, finished, ending], 'No runs.')
}

async function show({ store, out }: StoreWork, id: string): Promise<undefined> {
  const run = await store.admin.runs.get(id)
  const steps = await store.run(run.queue, id).steps()
  out.answer({ ...run, steps }, () => {
    showMessage(out, run, 'workflow')
    out.gap()
    out.table(stepColumns(out), steps, 'No steps are recorded.')
  })
}

function stepColumns(out: Output): Column<StepInfo>[] {
  const ending = ({ wakeAt, error, output }: StepInfo): string => {
    if (error !== undefined) return errorLine(error)
    return wakeAt !== undefined && output === undefined ? `wakes ${relative(wakeAt)}` : preview(output)
  }
  return [
    { title: 'step', of: (row) => row.name },
    { title: 'kind', of: (row) => row.kind, isWhole: true },
    statusColumn(out, (row) => row.status),
    { title: 'failures', of: (row) => row.failures, align: 'right', isWhole: true },
    { title: 'recorded', of: (row) => relative(row.recordedAt), isWhole: true },
    { title: 'output or error', of: ending },
  ]
}
