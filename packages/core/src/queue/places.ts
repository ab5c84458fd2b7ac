import type { Clock } from '../clock.js'
import type { ClaimedRow } from '../store/records.js'

/** A place in one lane of a queue (one of its priorities): what was due before has been claimed. */
export interface Place {
  readonly priority: number
  /** Ms since the epoch. */
  readonly since: number
}

// A claim of fewer is cheap wherever it begins, and who claims few at a time expects the highest priority each time.
const LEAST_MESSAGES = 100
// For this long at least, and for so many times as long as it took to look everywhere, a place is good.
const SHORTEST_MS = 20
const TIMES_AS_LONG = 4

/**
 * Where to go on claiming. A worker that has just filled up from one lane of a queue goes on behind what it got, for a
 * moment. Postgres keeps dead entries in the index for as long as some transaction, however unrelated, can see them: a
 * claim from the beginning of a lane then walks over everything that was claimed since that transaction began, and this
 * one does not. The price is that what is put back at an earlier place, or comes with a higher priority, is claimed that
 * moment later: at most four times as long as a look everywhere takes.
 */
export class Places {
  private readonly places = new Map<string, Place & { readonly until: number }>()

  constructor(private readonly clock: Clock) {}

  /** Where to begin in this queue; undefined for everywhere. */
  of(queue: string): Place | undefined {
    const place = this.places.get(queue)
    if (place === undefined) return undefined
    if (this.clock.monotonic() < place.until) return { priority: place.priority, since: place.since }
    this.places.delete(queue)
    return undefined
  }

  /** Takes note of what a claim of at most `limit` messages has brought, and how long it took. */
  learn(rows: readonly ClaimedRow[], limit: number, tookMs: number): void {
    if (rows.length < limit || rows.length < LEAST_MESSAGES) {
      this.places.clear()
      return
    }
    const now = this.clock.monotonic()
    for (const [queue, last] of lastOfEach(rows)) {
      const known = this.places.get(queue)
      if (last === undefined) this.places.delete(queue)
      else {
        // Times arrive rounded; what is as old as the last one may not have been claimed.
        const since = Math.floor(last.due_at) - 1
        const until = known?.until ?? now + Math.max(SHORTEST_MS, tookMs * TIMES_AS_LONG)
        this.places.set(queue, { priority: last.priority, since, until })
      }
    }
  }
}

/** The message of each queue that was due last; undefined where they are of several priorities. */
function lastOfEach(rows: readonly ClaimedRow[]): Map<string, ClaimedRow | undefined> {
  const last = new Map<string, ClaimedRow | undefined>()
  for (const row of rows) {
    const before = last.get(row.queue)
    if (before === undefined) {
      if (!last.has(row.queue)) last.set(row.queue, row)
    } else if (before.priority !== row.priority) last.set(row.queue, undefined)
    else if (row.due_at > before.due_at) last.set(row.queue, row)
  }
  return last
}
