import { defineWorkflow, type WorkflowDefinition } from '@pgqrs/core'
import type { BodyLog } from './body-log.js'
import type { CrashPoint } from './crash-points.js'

/** What surrounds the bodies of {@link crashWorkflow}. */
export interface CrashSurroundings {
  readonly log: BodyLog
  readonly lease: string
  /** Writes a row into `effects`. */
  readonly writeEffect: (tx: unknown, name: string) => unknown
  readonly reached?: (point: CrashPoint) => void
}

/** The bodies of {@link crashWorkflow} in their order. */
export const crashBodies = ['fetch', 'book', 'notify'] as const

/** A step, a transactional step that writes the row `booked` into `effects`, and another step. */
export function crashWorkflow({
  log,
  lease,
  writeEffect,
  reached = () => undefined,
}: CrashSurroundings): WorkflowDefinition<{ n: number }, number[]> {
  return defineWorkflow<{ n: number }, number[]>('crash', { lease }, async (run, { n }) => {
    const fetched = await run.step('fetch', () =>
      log.around('fetch', () => {
        reached('in-step-body')
        return n + 1
      }),
    )
    const booked = await run.transaction('book', (tx) =>
      log.around('book', async () => {
        await writeEffect(tx, 'booked')
        reached('in-transaction-body')
        return fetched + 1
      }),
    )
    const notified = await run.step('notify', () => log.around('notify', () => booked + 1))
    return [fetched, booked, notified]
  })
}
