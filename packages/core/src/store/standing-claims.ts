import type { Row, Statement } from '../db/statement.js'
import type { Answer } from './batcher.js'

/** A claim of a worker that waits for work. */
export interface StandingClaim {
  readonly queues: readonly string[]
  /** How many messages it takes at most. */
  readonly limit: number
  /** The claim as it is to be sent now; undefined when it is not wanted any more. */
  bind(): Statement | undefined
  /** Told once it has been taken along: what it brought, or undefined when nothing is known of that. */
  answered(brought: Brought | undefined): void
}

/** What a standing claim has brought. */
export interface Brought {
  readonly rows: readonly Row[]
  /** It was sent more than once: an earlier sending may have taken more. */
  readonly repeated: boolean
}

/** A standing claim on its way. */
interface Leaving {
  readonly claim: StandingClaim
  readonly statement: Statement
}

/**
 * The claims of this process's workers that wait for work. The next enqueue into one of their queues takes one along, in
 * its own transaction: the commit that makes the message visible hands it over, and one trip does for two.
 */
export class StandingClaims {
  private readonly standing = new Set<StandingClaim>()

  /** Whether any claim stands. */
  get some(): boolean {
    return this.standing.size > 0
  }

  /** Lets a claim stand until it is taken along. Returns how to withdraw it, which tells whether it still stood. */
  offer(claim: StandingClaim): () => boolean {
    this.standing.add(claim)
    return () => this.standing.delete(claim)
  }

  /** Takes one claim for each of these queues that somebody waits for. */
  take(queues: Iterable<string | undefined>): Leaving[] {
    const leaving: Leaving[] = []
    const open = new Set(queues)
    for (const claim of this.standing) {
      if (!claim.queues.some((queue) => open.has(queue))) continue
      this.standing.delete(claim)
      const statement = claim.bind()
      if (statement === undefined) {
        claim.answered(undefined)
        continue
      }
      leaving.push({ claim, statement })
      for (const queue of claim.queues) open.delete(queue)
    }
    return leaving
  }
}

/**
 * Gives the claims what they have brought. Returns the queues of which they have left nothing that was due: nobody has to
 * be woken for that any more.
 */
export function handOver(
  leaving: readonly Leaving[],
  rows: readonly (readonly Row[])[],
  repeated: boolean,
): ReadonlySet<string> {
  const emptied = new Set<string>()
  for (const [n, { claim }] of leaving.entries()) {
    const brought = rows[n] ?? []
    // One that came back full may have left some for others.
    if (!repeated && brought.length < claim.limit) for (const queue of claim.queues) emptied.add(queue)
    claim.answered({ rows: brought, repeated })
  }
  return emptied
}

/** The answers to enqueues, with those marked that went into one of these queues. */
export function markClaimed(
  answers: Answer<unknown>[],
  queues: readonly (string | undefined)[],
  emptied: ReadonlySet<string>,
): Answer<unknown>[] {
  return answers.map((answer, i) => {
    const queue = queues[i]
    return queue !== undefined && emptied.has(queue) ? { ...answer, claimed: true } : answer
  })
}
