import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { HistoryWriter } from '@pgqrs/checker'

setFlagsFromString('--expose-gc')
// What nobody refers to any more is no leak, however long the collector leaves it there.
const collectGarbage = runInNewContext('gc') as () => void

/** Notes what keeps this process alive, sockets, timers, pipes, and how much memory is reachable in it. */
export function noteResources(history: HistoryWriter, when: 'before' | 'during' | 'after'): void {
  const counts: Record<string, number> = {}
  for (const type of process.getActiveResourcesInfo())
    if (type !== 'Immediate') counts[type] = (counts[type] ?? 0) + 1
  collectGarbage()
  history.append({
    kind: 'system',
    what: 'resources',
    when,
    counts,
    heapBytes: process.memoryUsage().heapUsed,
  })
}
