import type { Command } from 'commander'
import type { QueueMetrics, SystemStats } from '@pgqrs/core'
import { addCommand } from '../command.js'
import { counted } from '../output/counted.js'
import { safe } from '../output/escape.js'
import type { Output } from '../output/output.js'
import type { Column } from '../output/table.js'
import { span } from '../output/time.js'
import type { Session, StoreWork } from '../session.js'
import { workerColumns } from './worker.js'

/** `status`. */
export function addStatusCommand(program: Command, session: Session): void {
  addCommand(program, {
    usage: 'status',
    description: 'Show the whole system: counts, queues and workflows, workers and their health.',
    examples: ['status', 'status --json'],
  }).action((_options: unknown, command: Command) => session.withStore(command, status))
}

async function status({ store, out, target }: StoreWork): Promise<undefined> {
  const [stats, queues, workers] = await Promise.all([
    store.admin.stats(),
    store.admin.metrics(),
    store.admin.workers.list(),
  ])
  out.answer({ target, stats, queues, workers }, () => {
    out.line(safe`${target}, schema version ${stats.schemaVersion}`)
    out.line(safe`${counts(stats)}`)
    out.gap()
    out.table(metricColumns(out), queues, 'No queues or workflows yet.')
    out.gap()
    out.line(safe`${health(stats)}`)
    out.table(workerColumns(out), workers, 'No workers are registered.')
  })
}

function counts({ queues, workflows, ready, delayed, leased, paused, archived, dead }: SystemStats): string {
  const messages = `${ready} ready, ${delayed} delayed, ${leased} leased, ${paused} paused, ${archived} archived, ${dead} dead`
  return `${counted(queues, 'queue')}, ${counted(workflows, 'workflow')}: ${messages}`
}

function health({ workers: { byStatus, healthy, stale, held } }: SystemStats): string {
  return `Workers: ${healthy} healthy, ${stale} stale, ${byStatus.stopped} stopped, ${counted(held, 'message')} held`
}

/** Columns of the queues with their counts. */
export function metricColumns({ colors }: Output): Column<QueueMetrics>[] {
  const count = (title: string, of: (row: QueueMetrics) => number): Column<QueueMetrics> => ({
    title,
    of,
    align: 'right',
    isWhole: true,
  })
  return [
    { title: 'name', of: (row) => row.queue },
    { title: 'kind', of: (row) => row.kind, isWhole: true },
    {
      title: 'state',
      of: (row) => (row.isPaused ? 'paused' : 'open'),
      isWhole: true,
      color: (text, row) => (row.isPaused ? colors.yellow(text) : text),
    },
    count('ready', (row) => row.ready),
    count('delayed', (row) => row.delayed),
    count('leased', (row) => row.leased),
    count('paused', (row) => row.paused),
    count('archived', (row) => row.archived),
    {
      ...count('dead', (row) => row.dead),
      color: (text, row) => (row.dead > 0 ? colors.red(text) : text),
    },
    {
      title: 'oldest ready',
      of: (row) => (row.oldestReadyMs === undefined ? '' : span(row.oldestReadyMs)),
      align: 'right',
      isWhole: true,
    },
  ]
}
