import type { Engine } from './engine.js'

/**
 * Removes up to `limit` messages of a queue, checkpoints first: a crash in between leaves a finished run without
 * checkpoints, never checkpoints without a run. Returns how many went.
 */
export async function removeSome(
  engine: Engine,
  what: {
    readonly queue: string
    readonly live: boolean
    readonly statuses: readonly string[]
    readonly finishedBeforeMs: number
    readonly limit: number
  },
): Promise<number> {
  const { queues } = engine.queries
  const args = {
    queue: what.queue,
    live: what.live ? 1 : 0,
    statuses: JSON.stringify(what.statuses),
    finished_before_ms: what.finishedBeforeMs,
    limit: what.limit,
    now: engine.now,
  }
  await engine.run(queues.removeSomeSteps, args, 'remove checkpoints')
  return (await engine.run(queues.removeSome, args, 'remove messages')).length
}
