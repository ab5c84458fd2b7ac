import { Option, type Command } from 'commander'
import { InvalidStateError, type PurgeWhat, type QueueInfo, type QueueMetrics } from '@pgqrs/core'
import { addCommand, addGroup } from '../command.js'
import { addConfirmation, addDryRun, confirmed, type ConfirmOptions } from '../confirm.js'
import { counted } from '../output/counted.js'
import { safe } from '../output/escape.js'
import type { Session, StoreWork } from '../session.js'
import { metricColumns } from './status.js'

interface PurgeOptions extends ConfirmOptions {
  readonly what: PurgeWhat
}

interface DeleteOptions extends ConfirmOptions {
  readonly force?: boolean
}

/** `queue list|create|pause|resume|purge|delete`. */
export function addQueueCommands(program: Command, session: Session): void {
  const group = addGroup(program, {
    usage: 'queue',
    description: 'Queues as a whole. A workflow has one of its own name.',
    examples: ['queue list', 'queue pause emails'],
  })
  addCommand(group, {
    usage: 'list',
    description: 'List queues and workflows with their counts.',
    examples: ['queue list', 'queue list --json'],
  }).action((_options: unknown, command: Command) => session.withStore(command, list))

  addCommand(group, {
    usage: 'create <name>',
    description: 'Make a queue known before its first use. Creating it twice is no error.',
    examples: ['queue create emails'],
  }).action((name: string, _options: unknown, command: Command) =>
    session.withStore(command, async ({ store, out }) => {
      await store.admin.queues.create(name)
      out.answer({ queue: name }, () => out.line(safe`Queue ${name} is there.`))
      return undefined
    }),
  )

  addCommand(group, {
    usage: 'pause <name>',
    description: 'Let nobody claim from a queue until it is resumed. What is held goes on.',
    examples: ['queue pause emails'],
  }).action((name: string, _options: unknown, command: Command) =>
    session.withStore(command, async (work) =>
      said(work, await work.store.admin.queues.pause(name), 'paused'),
    ),
  )

  addCommand(group, {
    usage: 'resume <name>',
    description: 'Let a paused queue go on.',
    examples: ['queue resume emails'],
  }).action((name: string, _options: unknown, command: Command) =>
    session.withStore(command, async (work) =>
      said(work, await work.store.admin.queues.resume(name), 'open'),
    ),
  )
  addRemoving(group, session)
}

function addRemoving(group: Command, session: Session): void {
  const what = new Option(
    '--what <what>',
    'which messages: those nobody holds yet, finished ones, dead letters, all',
  )
  const purging = addCommand(group, {
    usage: 'purge <name>',
    description: 'Remove messages from a queue. What somebody holds stays. Asks first.',
    examples: [
      'queue purge emails',
      'queue purge emails --what dead --yes',
      'queue purge emails --what all --dry-run',
    ],
  }).addOption(what.choices(['waiting', 'archived', 'dead', 'all'] satisfies PurgeWhat[]).default('waiting'))
  addDryRun(addConfirmation(purging)).action((name: string, options: PurgeOptions, command: Command) =>
    session.withStore(command, (work) => purge(work, name, options)),
  )

  const deleting = addCommand(group, {
    usage: 'delete <name>',
    description: 'Delete a queue with everything in it. Asks first.',
    examples: ['queue delete emails', 'queue delete emails --force --yes'],
  }).option('--force', 'also when it has unfinished messages')
  addDryRun(addConfirmation(deleting)).action((name: string, options: DeleteOptions, command: Command) =>
    session.withStore(command, (work) => remove(work, name, options)),
  )
}

async function list({ store, out }: StoreWork): Promise<undefined> {
  const queues = await store.admin.metrics()
  out.answer(queues, () => {
    out.table(metricColumns(out), queues, 'No queues or workflows yet.')
  })
}

function said({ out }: StoreWork, queue: QueueInfo, state: string): undefined {
  out.answer(queue, () => out.line(safe`Queue ${queue.name} is ${state}.`))
}

async function purge(work: StoreWork, name: string, options: PurgeOptions): Promise<undefined> {
  const { store, out, progress } = work
  const { what } = options
  const about = affected(await store.admin.metrics(name))[what]
  if (!(await confirmed(work, `remove ${about} of queue ${name}`, options))) return
  const removed = await store.admin.queues.purge(name, what, {
    onProgress: (n) => {
      progress.show(`removed ${counted(n, 'message')}`)
    },
  })
  progress.end()
  out.answer({ queue: name, what, removed }, () =>
    out.line(safe`Removed ${counted(removed, 'message')} of queue ${name}.`),
  )
}

async function remove(work: StoreWork, name: string, options: DeleteOptions): Promise<undefined> {
  const { store, out } = work
  const metrics = await store.admin.metrics(name)
  const waiting = waitingIn(metrics)
  if (waiting > 0 && options.force !== true) {
    throw new InvalidStateError(
      `Queue ${name} has ${counted(waiting, 'unfinished message')}. Purge it first, or give --force.`,
    )
  }
  const about = affected(metrics).all
  if (!(await confirmed(work, `delete queue ${name} with ${about}`, options))) return
  await store.admin.queues.delete(name, { force: options.force === true })
  out.answer({ queue: name, deleted: true }, () => out.line(safe`Deleted queue ${name}.`))
}

function waitingIn({ ready, delayed, paused }: QueueMetrics): number {
  return ready + delayed + paused
}

function affected(metrics: QueueMetrics): Record<PurgeWhat, string> {
  const waiting = waitingIn(metrics)
  const { archived, dead } = metrics
  const letters = counted(dead, 'dead letter')
  return {
    waiting: counted(waiting, 'waiting message'),
    archived: counted(archived, 'archived message'),
    dead: letters,
    all: `${waiting} waiting and ${counted(archived, 'archived message')} and ${letters}`,
  }
}
