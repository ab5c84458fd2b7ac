import { setTimeout as sleep } from 'node:timers/promises'
import { planLoad, type LoadShape } from '../load/plan.js'
import { beginning, isForLife } from './beginning.js'
import type { Caller } from './caller.js'
import { mono, type ProcessSetup } from './setup.js'

/** What a process that makes planned calls is told besides. */
export interface CallerSetup extends ProcessSetup {
  /** Whose calls of the plan it makes. */
  readonly role: string
  readonly shape: LoadShape
}

/**
 * Makes the calls that were planned for this life of a process, each at its time.
 * @param bornAt when the process began, by CLOCK_MONOTONIC in ms.
 * @param stop ends it: no other call is made then.
 */
export async function makePlannedCalls(
  caller: Caller,
  { folder, seed, shape, role }: CallerSetup,
  bornAt: number,
  stop: AbortSignal,
): Promise<void> {
  const began = await beginning(folder)
  for (const { atMs, by, call } of planLoad(seed, shape)) {
    if (by !== role) continue
    const now = mono()
    const plannedAt = began + atMs
    if (!isForLife(plannedAt, bornAt, now)) continue
    if (plannedAt > now) await sleep(plannedAt - now, undefined, { signal: stop }).catch(() => undefined)
    if (stop.aborted) break
    caller.begin(call)
  }
  await caller.idle()
}
