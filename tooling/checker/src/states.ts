/** Who saw it, and when. */
export interface Seen {
  /** Unique name of one life of one process: a restarted worker has a new one. */
  readonly process: string
  readonly mono: number
  readonly wall: number
}

/** How a message's row stood. Times are ms since the epoch. */
export interface MessageState {
  readonly queue: string
  readonly status: 'queued' | 'running' | 'paused' | 'cancelling' | 'success' | 'error' | 'cancelled'
  readonly vt: number
  readonly lease: string | null
  readonly worker: string | null
  readonly claims: number
  readonly failures: number
  readonly crashes: number
  readonly priority: number
  readonly key: string | null
  readonly keyKept: boolean
  readonly finishedAt: number | null
  /** Texts as the row has them. */
  readonly payload?: string
  readonly output?: string | null
  readonly error?: string | null
}

/** How a checkpoint's row stood. */
export interface CheckpointState {
  readonly of: 'step' | 'transaction' | 'sleep' | 'pause' | 'timer'
  readonly status: 'success' | 'error' | 'retrying'
  readonly output: string | null
  readonly error: string | null
  readonly failures: number
  readonly wakeAt: number | null
  readonly position: number
}
