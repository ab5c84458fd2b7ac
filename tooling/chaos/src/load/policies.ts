import type { QueueFacts } from '@pgqrs/checker'
import type { HandlerOptions, WorkflowOptions } from '@pgqrs/core'

/** Leases are short, so that what a dead worker held comes back while the run lasts. */
export const LEASE_MS = 2000
/** What `stop()` lets handlers have. */
export const GRACE_MS = 1500
/** Longest time between two looks for work. */
export const POLL_MS = 150

const BACKOFF_MS = 150
/** So many leases are not lost by accident, however often processes are killed. */
export const NEVER_POISON = 60

/** Queues of the load and how they are handled. */
export const queuePolicies = {
  chaos_work: { retry: { maxAttempts: 3, backoff: 'fixed', delay: BACKOFF_MS }, maxCrashes: NEVER_POISON },
  chaos_orders: { retry: { maxAttempts: 3, backoff: 'fixed', delay: BACKOFF_MS }, maxCrashes: NEVER_POISON },
  // By hand nothing is tried again: who fails a message ends it.
  chaos_hand: { retry: { maxAttempts: 3, backoff: 'fixed', delay: BACKOFF_MS }, maxCrashes: NEVER_POISON },
  chaos_poison: { retry: { maxAttempts: 2, backoff: 'fixed', delay: BACKOFF_MS }, maxCrashes: 2 },
} as const satisfies Record<string, HandlerOptions>

const run: WorkflowOptions<undefined> = {
  maxCrashes: NEVER_POISON,
  retry: { maxAttempts: 2, backoff: 'fixed', delay: BACKOFF_MS },
  stepRetry: { maxAttempts: 3, backoff: 'fixed', delay: BACKOFF_MS },
}

/** Workflows of the load and how they are run. */
export const workflowPolicies = {
  chaos_transfer: run,
  chaos_batch: run,
  chaos_nap: run,
  chaos_ask: run,
  chaos_flaky: run,
} as const satisfies Record<string, WorkflowOptions<undefined>>

export type QueueName = keyof typeof queuePolicies
export type WorkflowName = keyof typeof workflowPolicies

/** The queue that only the worker in this place works on. */
export function ownQueue(role: string): string {
  return `chaos_own_${role}`
}

/** What the checker is told of all these, and of the queues that each worker has for itself. */
export function queueFacts(workers: readonly string[]): Record<string, QueueFacts> {
  const facts: Record<string, QueueFacts> = {}
  for (const [name, { retry, maxCrashes }] of Object.entries(queuePolicies)) {
    facts[name] = { kind: 'queue', maxAttempts: retry.maxAttempts, maxCrashes, minBackoffMs: BACKOFF_MS }
  }
  for (const role of workers) {
    facts[ownQueue(role)] = { kind: 'queue', maxAttempts: 5, maxCrashes: NEVER_POISON }
  }
  for (const name of Object.keys(workflowPolicies)) {
    facts[name] = {
      kind: 'workflow',
      maxAttempts: 2,
      maxCrashes: NEVER_POISON,
      minBackoffMs: BACKOFF_MS,
      stepAttempts: 3,
    }
  }
  return facts
}
