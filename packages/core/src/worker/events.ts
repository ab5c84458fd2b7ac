import type { StepKind } from '../status.js'

/** What a worker tells its `onEvent` callback. For logs, metrics and the curious; nothing depends on it. */
export type WorkerEvent =
  | {
      readonly type: 'claimed'
      readonly queue: string
      readonly id: string
      readonly attempt: number
      readonly crashes: number
    }
  | {
      readonly type: 'archived' | 'deleted' | 'cancelled' | 'lease_lost'
      readonly queue: string
      readonly id: string
    }
  | {
      readonly type: 'released'
      readonly queue: string
      readonly id: string
      readonly reason: 'stop' | 'snooze' | 'pause' | 'retry'
      readonly inMs: number
      readonly error?: unknown
    }
  | { readonly type: 'dead'; readonly queue: string; readonly id: string; readonly error: unknown }
  | {
      readonly type: 'step_started' | 'step_recorded' | 'step_replayed' | 'step_failed'
      readonly queue: string
      readonly id: string
      readonly step: string
      readonly kind: StepKind
    }
  /** Whether hints of other processes arrive: at the start, and when that changes. Without them the worker polls. */
  | { readonly type: 'hints'; readonly arrive: boolean }
  | { readonly type: 'trouble'; readonly error: unknown }
