import type { HistoryWriter } from '@pgqrs/checker'

/** Notes what keeps this process alive: sockets, timers, pipes. */
export function noteResources(history: HistoryWriter, when: 'before' | 'during' | 'after'): void {
  const counts: Record<string, number> = {}
  for (const type of process.getActiveResourcesInfo())
    if (type !== 'Immediate') counts[type] = (counts[type] ?? 0) + 1
  history.append({
    kind: 'system',
    what: 'resources',
    when,
    counts,
    heapBytes: process.memoryUsage().heapUsed,
  })
}
