import type { RetryPolicy } from '../retry.js'
import type { StepKind } from '../status.js'
import type { Scope } from './scope.js'

/** A boundary the code has reached: its full name and what it had seen before. */
export interface Boundary {
  readonly name: string
  readonly kind: StepKind
  readonly scope: Scope
  readonly seen: number
}

/** How one step is to be run. */
export interface StepPlan {
  readonly retry: RetryPolicy
  readonly timeoutMs: number | undefined
  readonly key: string | undefined
}
