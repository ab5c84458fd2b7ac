import { LeaseLostError } from '../errors.js'
import type { Claimed } from '../queue/claimer.js'
import { NEVER_MS } from '../store/records.js'
import type { Pass } from './pass.js'
import type { RunClock } from './run-clock.js'
import type { Signals } from './signals.js'
import type { Wait } from './waits.js'

/** Gives a run back because all of its branches wait, and ends the pass; the pass goes on when a signal came first. */
export async function putDown(
  waits: readonly Wait[],
  claimed: Claimed,
  pass: Pass,
  signals: Signals,
  clock: RunClock,
): Promise<void> {
  if (waits.some((wait) => wait.dueMs === undefined && wait.signal === undefined)) {
    pass.end({ kind: 'let_go' })
    return
  }
  const status = waits.some((wait) => wait.status === 'paused') ? 'paused' : 'queued'
  const dueMs = Math.min(...waits.map((wait) => wait.dueMs ?? NEVER_MS))
  const unlessSteps = waits.flatMap((wait) => wait.signal ?? [])
  try {
    const now = await claimed.lease.release({ status, atMs: dueMs, unlessSteps })
    if (now !== undefined) {
      pass.end({ kind: 'put_down', status: now, inMs: Math.ceil(Math.max(0, dueMs - clock.now())) })
      return
    }
    await signals.look()
  } catch (error) {
    pass.end(error instanceof LeaseLostError ? { kind: 'lost' } : { kind: 'trouble', error })
  }
}
