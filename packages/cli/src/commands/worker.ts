import type { Command } from 'commander'
import type { Store, WorkerInfo } from '@pgqrs/core'
import { addCommand, addGroup, EXAMPLE_ID } from '../command.js'
import { addConfirmation, confirmed, type ConfirmOptions } from '../confirm.js'
import { counted } from '../output/counted.js'
import { safe } from '../output/escape.js'
import type { Output } from '../output/output.js'
import type { Column } from '../output/table.js'
import { span } from '../output/time.js'
import type { Session, StoreWork } from '../session.js'

interface PurgeOptions extends ConfirmOptions {
  readonly olderThan: string
}

/** `worker list|suspend|resume|interrupt|purge`. */
export function addWorkerCommands(program: Command, session: Session): void {
  const group = addGroup(program, {
    usage: 'worker',
    description: 'Workers, consumers and named producers, in any process.',
    examples: ['worker list', `worker suspend ${EXAMPLE_ID}`],
  })
  addCommand(group, {
    usage: 'list',
    description: 'List who is registered, oldest first, with health by the age of the heartbeat.',
    examples: ['worker list', 'worker list --json'],
  }).action((_options: unknown, command: Command) => session.withStore(command, list))

  addMove(group, session, {
    name: 'suspend',
    description: 'Let a worker claim nothing more until it is resumed. What it holds goes on.',
    move: (store, id) => store.admin.workers.suspend(id),
  })
  addMove(group, session, {
    name: 'resume',
    description: 'Let a suspended worker go on.',
    move: (store, id) => store.admin.workers.resume(id),
  })
  addMove(group, session, {
    name: 'interrupt',
    description: 'Make a worker stop as if its own process had asked.',
    move: (store, id) => store.admin.workers.interrupt(id),
  })

  const purging = addCommand(group, {
    usage: 'purge',
    description: 'Forget workers that are silent for long and hold nothing. Asks first.',
    examples: ['worker purge', 'worker purge --older-than 1h --yes'],
  }).option('--older-than <duration>', 'silent for longer than this', '1d')
  addConfirmation(purging).action((options: PurgeOptions, command: Command) =>
    session.withStore(command, (work) => purge(work, options)),
  )
}

interface Move {
  readonly name: string
  readonly description: string
  readonly move: (store: Store, id: string) => Promise<void>
}

function addMove(group: Command, session: Session, { name, description, move }: Move): void {
  addCommand(group, {
    usage: `${name} <id>`,
    description,
    examples: [`worker ${name} ${EXAMPLE_ID}`],
  }).action((id: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      await move(store, id)
      const worker = await store.admin.workers.get(id)
      out.answer(worker, () => out.line(safe`Worker ${worker.name} (${id}) is ${worker.status}.`))
      return undefined
    }),
  )
}

async function list({ store, out }: StoreWork): Promise<undefined> {
  const workers = await store.admin.workers.list()
  out.answer(workers, () => {
    out.table(workerColumns(out), workers, 'No workers are registered.')
  })
}

async function purge(work: StoreWork, options: PurgeOptions): Promise<undefined> {
  const { store, out } = work
  const { olderThan } = options
  if (!(await confirmed(work, `forget workers that are silent for more than ${olderThan}`, options))) return
  const removed = await store.admin.workers.purge(olderThan)
  out.answer({ removed }, () => out.line(safe`Forgot ${counted(removed, 'worker')}.`))
}

/** Columns of the workers with their health. */
export function workerColumns({ colors }: Output): Column<WorkerInfo>[] {
  const paint = { healthy: colors.green, stale: colors.red, stopped: colors.dim }
  return [
    { title: 'id', of: (row) => row.id, isWhole: true },
    { title: 'name', of: (row) => row.name },
    { title: 'process', of: (row) => `${row.host}:${row.pid}` },
    { title: 'status', of: (row) => row.status, isWhole: true },
    {
      title: 'health',
      of: (row) => row.health,
      isWhole: true,
      color: (text, row) => paint[row.health](text),
    },
    { title: 'heartbeat', of: (row) => `${span(row.heartbeatAgeMs)} ago`, align: 'right', isWhole: true },
    { title: 'held', of: (row) => row.held, align: 'right', isWhole: true },
    { title: 'queues', of: (row) => row.queues.join(' ') },
  ]
}
