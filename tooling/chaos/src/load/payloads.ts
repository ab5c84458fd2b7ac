/** Payload of `chaos_work` and `chaos_orders`. */
export interface Work {
  readonly n: number
  /** What the handler does, after `ms`: `fail-once` and `fail` throw, `snooze` puts the message off the first time. */
  readonly does: 'return' | 'fail-once' | 'fail' | 'snooze'
  readonly ms: number
}

/** Payload of `chaos_hand`: what the first holder does with the message, after `ms`. Any later one archives it. */
export interface ByHand {
  readonly n: number
  /** `forget`: nothing, the lease lapses. `late`: prolongs the lease after it has lapsed, and archives. */
  readonly does: 'archive' | 'delete' | 'fail' | 'release' | 'forget' | 'late'
  readonly ms: number
  /** Prolongs the lease before anything else. */
  readonly prolongs: boolean
  /** For how long it puts the message off when it gives it back. */
  readonly delayMs: number
}

/** Payload of `chaos_poison`: how the handler behaves, every time. */
export interface Poison {
  readonly n: number
  readonly does: 'throw' | 'exit' | 'loop' | 'unstorable'
}

/** Input of `chaos_transfer`. */
export interface Transfer {
  readonly n: number
  readonly from: string
  readonly to: string
  readonly amount: number
  /** List that gets an element. */
  readonly list: string
  /** Takes its accounts in the order of the transfer, so that two of them may deadlock, and not by name. */
  readonly disorderly: boolean
  /** The transaction's callback returns a promise although it need not. */
  readonly asynchronous: boolean
  readonly ms: number
  /** How long the step after it takes. */
  readonly receiptMs: number
}

/** Input of `chaos_batch`: one transfer of `amount` for each pair. */
export interface Batch {
  readonly n: number
  readonly pairs: readonly { readonly from: string; readonly to: string }[]
  readonly amount: number
}

/** Input of `chaos_nap`. */
export interface Nap {
  readonly n: number
  readonly naps: readonly number[]
}

/** Input of `chaos_ask`. */
export interface Ask {
  readonly n: number
  readonly timeoutMs: number
}

/** Input of `chaos_flaky`: a step that throws so often, and a run that throws so often after it. */
export interface Flaky {
  readonly n: number
  readonly stepFails: number
  readonly runFails: number
}

/** Accounts of the load, each of which begins with {@link BALANCE}. */
export const accounts = [
  'ada',
  'ben',
  'cleo',
  'dan',
  'eve',
  'fay',
  'gus',
  'hal',
  'ida',
  'jan',
  'kim',
  'leo',
] as const
export const BALANCE = 1000
/** Lists of the load. */
export const lists = ['red', 'green', 'blue'] as const
