import { setTimeout as sleep } from 'node:timers/promises'

const SLICE_MS = 25

/**
 * Takes about so long, in slices: a process that stood still meanwhile still has the rest before it.
 * Nothing to wait for when it is no time.
 */
export async function takingTime(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= SLICE_MS) await sleep(Math.min(left, SLICE_MS))
}
