/** Where a message (and so a run) stands. `success`, `error` and `cancelled` are final. */
export type Status = 'queued' | 'running' | 'paused' | 'cancelling' | 'success' | 'error' | 'cancelled'

/** Whether a status is final. */
export function isFinal(status: Status): boolean {
  return status === 'success' || status === 'error' || status === 'cancelled'
}

/** What kind of boundary a checkpoint records. */
export type StepKind = 'step' | 'transaction' | 'sleep' | 'pause' | 'timer'

/** `retrying` counts failures between attempts; the other two are final. */
export type StepStatus = 'success' | 'error' | 'retrying'

/** States of a worker; `stopped` is final. */
export type WorkerStatus = 'ready' | 'polling' | 'suspended' | 'interrupted' | 'stopped'
