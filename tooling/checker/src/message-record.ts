import { grouped } from './grouped.js'
import type {
  Accepted,
  BodyEnded,
  BodyStarted,
  BoundaryPassed,
  CheckpointTransition,
  Invoked,
  MessageTransition,
  Settled,
} from './history.js'
import type { Enqueue, EnqueuedMessage } from './operations.js'
import type { RowOf } from './rows.js'
import type { MessageState } from './states.js'

/** A public call, from its invocation to its end. */
export interface Call {
  readonly invoked: Invoked
  readonly settled: Settled | undefined
  readonly outcome: 'ok' | 'fail' | 'unknown'
}

/** A call of enqueue or trigger as far as it is about one message. */
export interface EnqueueCall extends Call {
  readonly invoked: Invoked & Enqueue
  readonly message: EnqueuedMessage
  /** Another message had the key already: its id was returned, and this message does not exist. */
  readonly yielded: boolean
}

/** A claim that was committed. */
export interface Grant {
  readonly lease: string
  readonly transition: MessageTransition
}

/** Everything a history says about one message or run. Lists of transitions are in the order of `seq`. */
export class MessageRecord {
  readonly enqueues: EnqueueCall[] = []
  /** Calls on it other than enqueue and dequeue. */
  readonly calls: Call[] = []
  readonly claimedByHand: Call[] = []
  readonly transitions: MessageTransition[] = []
  readonly checkpoints: CheckpointTransition[] = []
  readonly grants: Grant[] = []
  readonly starts: BodyStarted[] = []
  readonly ends: BodyEnded[] = []
  readonly boundaries: BoundaryPassed[] = []
  readonly accepted: Accepted[] = []
  readonly steps: RowOf<'steps'>[] = []
  row: RowOf<'messages'> | undefined
  /** A body of it was under way when the database went back in time: it may know what nobody else does. */
  rewound = false
  private checkpointsByStep: Map<string, CheckpointTransition[]> | undefined
  private endsByStep: Map<string | undefined, BodyEnded[]> | undefined

  constructor(readonly id: string) {}

  get last(): MessageTransition | undefined {
    return this.transitions.at(-1)
  }

  get queue(): string | undefined {
    const { last } = this
    return this.row?.queue ?? last?.after?.queue ?? last?.before?.queue ?? this.enqueues[0]?.message.queue
  }

  /** How it stands at the end, as far as anybody has seen; null when it was deleted. */
  get finalState(): MessageState | null | undefined {
    return this.row ?? this.last?.after
  }

  /** What can be said of its enqueue after all attempts with this id. */
  get fate(): 'ok' | 'unknown' | 'fail' | undefined {
    const real = this.enqueues.filter((call) => !call.yielded)
    if (this.enqueues.length === 0) return undefined
    if (real.some((call) => call.outcome === 'ok')) return 'ok'
    // A conflict says that a message is there under this id: this one, when another call has replaced its payload.
    const open = real.some((call) => call.outcome === 'unknown' || call.settled?.error === 'ID_CONFLICT')
    return open ? 'unknown' : 'fail'
  }

  /** Whether its row has ever been there. */
  get existed(): boolean {
    return this.row !== undefined || this.transitions.some((change) => change.after !== null)
  }

  /** How often it was inserted. What was deleted is forgotten, so that a repeat of its enqueue begins anew. */
  get lives(): number {
    return Math.max(1, this.transitions.filter((change) => change.before === null).length)
  }

  /** The claims since it was inserted last. */
  get grantsOfThisLife(): Grant[] {
    const inserted = this.transitions.findLast((change) => change.before === null)
    return this.grants.filter(({ transition }) => transition.seq >= (inserted?.seq ?? 0))
  }

  /** The transitions of one checkpoint. Ask only once everything is entered. */
  checkpointsOf(step: string): readonly CheckpointTransition[] {
    this.checkpointsByStep ??= grouped(this.checkpoints, (change) => change.step)
    return this.checkpointsByStep.get(step) ?? []
  }

  /** The ends of the bodies of one step. Ask only once everything is entered. */
  endsOf(step: string): readonly BodyEnded[] {
    this.endsByStep ??= grouped(this.ends, (end) => end.step)
    return this.endsByStep.get(step) ?? []
  }

  grantOf(lease: string): Grant | undefined {
    return this.grants.find((grant) => grant.lease === lease)
  }

  /** Whether such a call was made and did not certainly fail. */
  hasCall(...names: readonly Invoked['name'][]): boolean {
    return this.calls.some((call) => call.outcome !== 'fail' && names.includes(call.invoked.name))
  }
}

/** Whether a status is final. */
export function isFinal(status: MessageState['status'] | null | undefined): boolean {
  return status === 'success' || status === 'error' || status === 'cancelled'
}

/** Whether somebody holds a message that stands so, or held it when the lease lapsed. */
export function isHeld(state: MessageState): boolean {
  return state.status === 'running' || state.status === 'cancelling'
}
