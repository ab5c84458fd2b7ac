import type { HistoryWriter, QueueCounts } from '@pgqrs/checker'
import type { ChaosDatabase } from './databases/database.js'

const statuses = ['queued', 'running', 'paused', 'cancelling', 'success', 'error', 'cancelled'] as const

/** Counts and sums in one statement, so that all of them are of the same moment. */
const SNAPSHOT = `
  select 'count' as what, queue, status, count(*) as n from pgqrs_messages group by queue, status
  union all select 'tally', queue, status, sum(n) from pgqrs_tallies group by queue, status
  union all select 'money', '', '', sum(balance) from chaos_accounts
  union all select 'witnesses', '', '', count(*) from chaos_witnesses where run is not null
  union all select 'checkpoints', '', '', count(*) from pgqrs_steps where kind = 'transaction' and status = 'success'`

/** Reads a snapshot and notes it. */
export async function takeSnapshot(database: ChaosDatabase, history: HistoryWriter): Promise<void> {
  const queues: Record<string, Record<string, number>> = {}
  const tallies: Record<string, Record<string, number>> = {}
  const sums: Record<string, number> = {}
  for (const row of await database.query(SNAPSHOT)) {
    const [what, queue, status] = [String(row['what']), String(row['queue']), String(row['status'])]
    const n = Number(row['n'])
    if (what === 'count') (queues[queue] ??= {})[status] = n
    else if (what === 'tally') (tallies[queue] ??= {})[status] = n
    else sums[what] = n
  }
  const counts = Object.entries(queues).map(([queue, own]) => [queue, countsOf(own, tallies[queue] ?? {})])
  history.append({
    kind: 'snapshot',
    queues: Object.fromEntries(counts) as Record<string, QueueCounts>,
    money: sums['money'] ?? 0,
    witnesses: { rows: sums['witnesses'] ?? 0, checkpoints: sums['checkpoints'] ?? 0 },
  })
}

function countsOf(own: Record<string, number>, tally: Record<string, number>): QueueCounts {
  const of = (status: (typeof statuses)[number]): number => own[status] ?? 0
  return {
    total: statuses.reduce((sum, status) => sum + of(status), 0),
    queued: of('queued'),
    running: of('running'),
    paused: of('paused'),
    cancelling: of('cancelling'),
    success: of('success'),
    error: of('error'),
    cancelled: of('cancelled'),
    tallied: {
      success: tally['success'] ?? 0,
      error: tally['error'] ?? 0,
      cancelled: tally['cancelled'] ?? 0,
    },
  }
}
