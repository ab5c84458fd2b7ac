import { toMs, type Duration } from '../duration.js'
import { checkKeys } from '../names.js'
import type { Engine } from '../store/engine.js'
import { removeSome } from '../store/retention.js'

/** For how long finished messages and runs are kept. What is not named is kept for ever. */
export interface RetentionOptions {
  /** Archived and cancelled ones. */
  readonly archived?: Duration
  /** Dead letters and failed runs. */
  readonly dead?: Duration
}

/** Retention, checked; in ms. */
export interface Retention {
  readonly archivedMs: number | undefined
  readonly deadMs: number | undefined
}

/** @throws InvalidArgumentError or ConfigError */
export function retention(options: RetentionOptions | undefined): Retention {
  if (options !== undefined) checkKeys(options, ['archived', 'dead'], 'retention')
  return {
    archivedMs: options?.archived === undefined ? undefined : toMs(options.archived, 'retention.archived'),
    deadMs: options?.dead === undefined ? undefined : toMs(options.dead, 'retention.dead'),
  }
}

const BATCH = 500

/** One round of retention over the given queues: at most one batch for each, so that it never holds up other work. */
export async function applyRetention(
  engine: Engine,
  queues: readonly string[],
  keep: Retention,
): Promise<number> {
  const spans: [readonly string[], number | undefined][] = [
    [['success', 'cancelled'], keep.archivedMs],
    [['error'], keep.deadMs],
  ]
  let removed = 0
  for (const queue of queues) {
    for (const [statuses, ms] of spans) {
      if (ms === undefined) continue
      const finishedBeforeMs = (await databaseTime(engine)) - ms
      removed += await removeSome(engine, { queue, live: false, statuses, finishedBeforeMs, limit: BATCH })
    }
  }
  return removed
}

/** The database's clock, ms since the epoch. */
export async function databaseTime(engine: Engine): Promise<number> {
  const [row] = await engine.run(engine.queries.versions.clock, { now: engine.now }, 'look at the clock')
  return row?.now_ms ?? engine.clock.wallNow()
}
