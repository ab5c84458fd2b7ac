import { AmbiguousCommitError } from '../errors.js'
import type { Answer, Group } from './batcher.js'
import { toHandOver, type BatchOperation } from './operations.js'
import type { ClaimedRow, HandedMessage, HandedRow, NewMessage } from './records.js'

/** A claim of a worker that waits for work. */
export interface StandingClaim {
  /** The queues it takes from, and how long it holds a message of each, in ms. */
  readonly queues: ReadonlyMap<string, number>
  /** How many messages it takes at most. */
  readonly limit: number
  /** The grant to take them under; undefined when none are wanted any more. */
  grant(): Grant | undefined
  /** Told once it has taken part in an enqueue: what it brought, or undefined when nothing is known of that. */
  answered(brought: Brought | undefined): void
}

/** Under what a standing claim takes messages. */
export interface Grant {
  readonly leaseId: string
  readonly workerId: string | null
}

/** What a standing claim has brought. */
export interface Brought {
  readonly rows: readonly ClaimedRow[]
  /** It was sent more than once: an earlier sending may have taken more. */
  readonly repeated: boolean
}

/** A standing claim on its way. */
interface Leaving {
  readonly claim: StandingClaim
  readonly grant: Grant
}

/**
 * The claims of this process's workers that wait for work. A message that is enqueued meanwhile into one of their queues
 * is held by the worker from the start: the insert grants the lease, and one statement does for two.
 */
export class StandingClaims {
  private readonly standing = new Set<StandingClaim>()

  /** Lets a claim stand until it takes part in an enqueue. Returns how to withdraw it, which tells whether it still stood. */
  offer(claim: StandingClaim): () => boolean {
    this.standing.add(claim)
    return () => this.standing.delete(claim)
  }

  /** Hands what can be handed over to those who wait for it; undefined when nobody does. */
  handOver(
    groups: readonly Group[],
    operation: BatchOperation<HandedMessage, HandedRow>,
  ): Handing | undefined {
    if (this.standing.size === 0) return undefined
    let open = groups.flatMap(toHandOver).sort((a, b) => b.priority - a.priority)
    const takers = new Map<string, Leaving>()
    for (const claim of this.standing) {
      const wanted = open.filter(({ queue }) => claim.queues.has(queue)).slice(0, claim.limit)
      if (wanted.length === 0) continue
      this.standing.delete(claim)
      const grant = claim.grant()
      if (grant === undefined) {
        claim.answered(undefined)
        continue
      }
      for (const { id } of wanted) takers.set(id, { claim, grant })
      open = open.filter(({ id }) => !takers.has(id))
    }
    return takers.size === 0 ? undefined : new Handing(groups, takers, operation)
  }
}

/** An enqueue on its way that hands messages over. */
export class Handing {
  /** What leaves: the same items in the same order, those of some groups with grants. */
  readonly groups: readonly Group[]

  constructor(
    groups: readonly Group[],
    /** Who takes a message, by its id. */
    private readonly takers: ReadonlyMap<string, Leaving>,
    private readonly operation: BatchOperation<HandedMessage, HandedRow>,
  ) {
    this.groups = groups.map((group) =>
      toHandOver(group).some(({ id }) => takers.has(id))
        ? { operation, items: (group.items as readonly NewMessage[]).map((message) => this.handed(message)) }
        : group,
    )
  }

  /** Tells the claims what they have brought. */
  answered(answers: readonly (readonly Answer<unknown>[])[], repeated: boolean): void {
    const brought = new Map([...this.takers.values()].map(({ claim }) => [claim, [] as ClaimedRow[]]))
    for (const [g, { operation, items }] of this.groups.entries()) {
      if (operation !== this.operation) continue
      for (const [i, message] of (items as readonly HandedMessage[]).entries()) {
        const row = answers[g]?.[i]?.row as HandedRow | undefined
        const taker = this.takers.get(message.id)
        if (row === undefined || row.lease_id === null || taker === undefined) continue
        brought.get(taker.claim)?.push(claimedRow(message, row))
      }
    }
    for (const [claim, rows] of brought) claim.answered({ rows, repeated })
  }

  /** Tells the claims that nothing came of it; or, when nobody knows what did, to look for what they hold. */
  failed(error: unknown): void {
    const unknown = error instanceof AmbiguousCommitError
    for (const claim of new Set([...this.takers.values()].map((taker) => taker.claim)))
      claim.answered(unknown ? { rows: [], repeated: true } : undefined)
  }

  private handed(message: NewMessage): HandedMessage {
    const taker = this.takers.get(message.id)
    return {
      ...message,
      lease_id: taker?.grant.leaseId ?? null,
      lease_ms: taker?.claim.queues.get(message.queue) ?? null,
      worker_id: taker?.grant.workerId ?? null,
    }
  }
}

/** The row of a message that was claimed by the statement that has inserted it. */
function claimedRow({ id, queue, priority, payload, key }: NewMessage, row: HandedRow): ClaimedRow {
  const { vt, enqueued_at } = row
  const times = { due_at: enqueued_at, vt, enqueued_at }
  const counts = { claims: 1, failures: 0, crashes: 0 }
  const rest = { error: null, history: null }
  return { id, queue, status: 'running', priority, payload, key, ...counts, ...times, ...rest }
}
