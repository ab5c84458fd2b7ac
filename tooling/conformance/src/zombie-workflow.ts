import { defineWorkflow, type WorkflowDefinition } from '@pgqrs/core'

/** What surrounds the bodies of {@link zombieWorkflow}. */
export interface ZombieSurroundings {
  /** Who runs it: every value and every row says so. */
  readonly who: string
  readonly lease: string
  readonly writeEffect: (tx: unknown, name: string) => unknown
  /** Waited for before anything else. */
  readonly before?: () => Promise<void>
  readonly inStep?: (signal: AbortSignal) => Promise<void>
  /** Called while the transaction is open. */
  readonly inTransaction?: () => void
}

/** A step and a transactional step, and a result that says who came to the end. */
export function zombieWorkflow(surroundings: ZombieSurroundings): WorkflowDefinition<undefined, string> {
  const { who, lease, writeEffect, before, inStep, inTransaction } = surroundings
  return defineWorkflow<undefined, string>('haunted_run', { lease }, async (run) => {
    await before?.()
    await run.step('look', async ({ signal }) => {
      await inStep?.(signal)
      return who
    })
    await run.transaction('book', { timeout: '2s' }, async (tx) => {
      await writeEffect(tx, who)
      inTransaction?.()
      return who
    })
    return who
  })
}
