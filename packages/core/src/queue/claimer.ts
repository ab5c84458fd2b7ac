import type { ErrorRecord } from '../codec/error-record.js'
import type { Claim, ClaimedRow, ClaimQueue } from '../store/records.js'
import type { Status } from '../status.js'
import type { CallOptions, Engine } from '../store/engine.js'
import type { Brought } from '../store/standing-claims.js'
import { Lease } from './lease.js'
import type { Place, Places } from './places.js'

/** A claimed row and the grant on it. */
export interface Claimed {
  readonly row: ClaimedRow
  readonly lease: Lease
}

/** From which queue, for how long, and with how much patience for lost leases. */
export interface ClaimFrom {
  readonly queue: string
  readonly leaseMs: number
  readonly maxCrashes: number
}

/** What a claim has found, and the monotonic time at which it was sent: no lease is longer than counted from there. */
export interface Found {
  readonly claimed: readonly Claimed[]
  readonly sentAt: number
}

/** A claim that waits for an enqueue to hand it something. */
export interface Standing {
  /** Takes it back. False when an enqueue has taken it already. */
  withdraw(): boolean
  /** What it was handed, once an enqueue has taken it; undefined when that is not known. */
  readonly found: Promise<Found | undefined>
}

/** Who wants to know what a claimer does. */
export interface ClaimerTold {
  /** Of each message that was finished instead of handed out. */
  readonly onEnded?: (row: ClaimedRow, status: Status, error: string | null) => void
  /** Of what was claimed, before anything is done with it. */
  readonly onGranted?: (claimed: readonly Claimed[]) => void
}

/** Takes leases, and finishes at once what must not be handed out: poison, and what was asked to cancel. */
export class Claimer {
  constructor(
    private readonly engine: Engine,
    private readonly workerId: () => string,
    private readonly told: ClaimerTold = {},
    /** Where in its lanes the next claim begins to look. Without it every claim looks everywhere. */
    private readonly places?: Places,
  ) {}

  /** Claims at most `limit` due messages: higher priority first, then what is visible longer, then by id. */
  async claim(from: readonly ClaimFrom[], limit: number, options: CallOptions = {}): Promise<Claimed[]> {
    const lanes = from.map(({ queue }) => this.places?.of(queue))
    const claimed = await this.take(from, lanes, limit, options)
    if (claimed.length < limit && lanes.some((lane) => lane !== undefined)) {
      // Where one lane ends, there may be others. What is held already is not let go because that cannot be seen now.
      claimed.push(...(await this.take(from, [], limit - claimed.length, options).catch(() => [])))
    }
    return this.handOut(claimed, from)
  }

  private async take(
    from: readonly ClaimFrom[],
    lanes: readonly (Place | undefined)[],
    limit: number,
    options: CallOptions,
  ): Promise<Claimed[]> {
    const args = this.argsFor(from, lanes, limit)
    const { clock, queries } = this.engine
    const sentAt = clock.monotonic()
    const { rows, repeated } = await this.engine.runOnce(queries.claims.claim, args, 'claim', options)
    this.places?.learn(rows, limit, clock.monotonic() - sentAt)
    return this.granted(from, args.lease_id, limit, rows, repeated)
  }

  /**
   * Leaves a claim with the store, for the next enqueue into one of these queues.
   * @param leaves called when one takes it; false when nothing is wanted any more.
   */
  stand(from: readonly ClaimFrom[], limit: number, leaves: () => boolean): Standing {
    const { standingClaims, random, clock } = this.engine
    let answered: (brought: Brought | undefined) => void = () => undefined
    const answer = new Promise<Brought | undefined>((resolve) => (answered = resolve))
    let sent: { readonly leaseId: string; readonly at: number } | undefined
    const withdraw = standingClaims.offer({
      queues: new Map(from.map(({ queue, leaseMs }) => [queue, leaseMs])),
      limit,
      grant: () => {
        if (!leaves()) return undefined
        sent = { leaseId: random.leaseId(), at: clock.monotonic() }
        return { leaseId: sent.leaseId, workerId: this.workerId() }
      },
      answered,
    })
    const found = answer.then(async (brought) => {
      if (brought === undefined || sent === undefined) return undefined
      const granted = await this.granted(from, sent.leaseId, limit, brought.rows, brought.repeated)
      return { claimed: await this.handOut(granted, from), sentAt: sent.at }
    })
    return { withdraw, found }
  }

  private argsFor(from: readonly ClaimFrom[], lanes: readonly (Place | undefined)[], limit: number): Claim {
    const queues: ClaimQueue[] = from.map((f, turn) => ({
      queue: f.queue,
      lease_ms: f.leaseMs,
      turn,
      ...lanes[turn],
    }))
    return {
      queues: JSON.stringify(queues),
      limit,
      lease_id: this.engine.random.leaseId(),
      worker_id: this.workerId(),
      now: this.engine.now,
    }
  }

  private async granted(
    from: readonly ClaimFrom[],
    leaseId: string,
    limit: number,
    rows: readonly ClaimedRow[],
    repeated: boolean,
  ): Promise<Claimed[]> {
    const taken = repeated ? await this.recover(from, leaseId) : rows
    const claimed = taken
      .map((row) => ({ row, lease: new Lease(this.engine, row.id, leaseId, row.queue) }))
      .sort(inOrder)
    this.told.onGranted?.(claimed)
    // Both sendings may have taken as many as they were let: what nobody has room for goes back at once.
    await Promise.allSettled(claimed.splice(limit).map(({ lease }) => lease.release({})))
    return claimed
  }

  /** An earlier sending may have taken leases whose rows never arrived: they carry the same lease id. */
  private recover(from: readonly ClaimFrom[], leaseId: string): Promise<ClaimedRow[]> {
    const args = { queues: JSON.stringify(from.map((f) => f.queue)), lease_id: leaseId, now: this.engine.now }
    return this.engine.run(this.engine.queries.claims.recover, args, 'recover a claim')
  }

  private async handOut(claimed: Claimed[], from: readonly ClaimFrom[]): Promise<Claimed[]> {
    const out: Claimed[] = []
    const ended: Promise<unknown>[] = []
    for (const one of claimed) {
      const { maxCrashes } = from.find((f) => f.queue === one.row.queue) ?? { maxCrashes: Infinity }
      if (one.row.status === 'cancelling') {
        ended.push(this.end(one, 'cancelled', null))
      } else if (one.row.crashes >= maxCrashes) {
        ended.push(this.end(one, 'error', poison(one.row)))
      } else out.push(one)
    }
    // Whoever fails to end one has lost the lease to somebody who will.
    await Promise.allSettled(ended)
    return out
  }

  private async end(
    { row, lease }: Claimed,
    wanted: 'cancelled' | 'error',
    error: string | null,
  ): Promise<void> {
    const status = await lease.finish({ status: wanted, output: null, error, failed: 0 })
    this.told.onEnded?.(row, status, error)
  }
}

function poison(row: ClaimedRow): string {
  const record: ErrorRecord = {
    class: 'PgqrsError',
    name: 'PgqrsError',
    code: 'MAX_CRASHES',
    message: `Its holder was lost ${row.crashes} times (the process died or froze), so it was given up.`,
  }
  return JSON.stringify(record)
}

function inOrder(a: Claimed, b: Claimed): number {
  return b.row.priority - a.row.priority || a.row.due_at - b.row.due_at || (a.row.id < b.row.id ? -1 : 1)
}
