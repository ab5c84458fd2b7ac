import type { EnqueuedMessage } from '@pgqrs/checker'

/** What a client does, with everything it needs for it decided beforehand. */
export type Call =
  | {
      readonly what: 'enqueue'
      readonly messages: readonly EnqueuedMessage[]
      readonly kind: 'queue' | 'workflow'
      readonly onConflict?: 'ignore' | 'reject' | 'replace'
      /** `enqueueMany`, also of one. */
      readonly batch?: boolean
      /** In a transaction of the user's with a row of this name beside it, which is committed or rolled back. */
      readonly within?: { readonly witness: string; readonly commits: boolean }
    }
  | { readonly what: 'cancel' | 'result' | 'status'; readonly id: string; readonly queue: string }
  | { readonly what: 'retry'; readonly queue: string }
  | {
      readonly what: 'signal'
      readonly id: string
      readonly queue: string
      readonly step: string
      readonly payload: string
    }

/** A call and when it is made, ms after the load began. */
export interface PlannedCall {
  readonly atMs: number
  readonly by: string
  readonly call: Call
}
