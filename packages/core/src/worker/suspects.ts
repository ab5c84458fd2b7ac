import type { ClaimFrom, Claimed } from '../queue/claimer.js'

/** Lost leases after which a message is a suspect: it may be what kills its holders. */
const SUSPECT_AFTER = 2

/** For how long a suspect that must wait for another one is put off. */
export const PUT_OFF_MS = 250

/**
 * Divides what was claimed into what may begin and what must wait. A worker runs one suspect at a time: a poison
 * message dies alone in the end, and does not take to the dead letters what happened to be held beside it.
 */
export function apart(
  claimed: readonly Claimed[],
  held: readonly Claimed[],
  from: readonly ClaimFrom[],
): { readonly begin: readonly Claimed[]; readonly putOff: readonly Claimed[] } {
  const begin: Claimed[] = []
  const putOff: Claimed[] = []
  let taken = held.some((one) => isSuspect(one, from))
  for (const one of claimed) {
    const suspect = isSuspect(one, from)
    if (suspect && taken) putOff.push(one)
    else begin.push(one)
    taken ||= suspect
  }
  return { begin, putOff }
}

function isSuspect({ row }: Claimed, from: readonly ClaimFrom[]): boolean {
  const { maxCrashes = Infinity } = from.find((f) => f.queue === row.queue) ?? {}
  // Where little is forgiven, suspicion begins while there is something left to lose.
  return row.crashes >= Math.max(1, Math.min(SUSPECT_AFTER, maxCrashes - 1))
}
