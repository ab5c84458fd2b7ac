import type {
  CheckpointTransition,
  Facts,
  HistoryEvent,
  Invoked,
  Mark,
  MessageTransition,
  Rewound,
  Settled,
  Snapshot,
} from './history.js'
import type { History } from './history-file.js'
import { isHeld, MessageRecord, type Call } from './message-record.js'
import type { FinalRow, RowOf } from './rows.js'
import type { SystemObservation } from './system-observations.js'

/** A history, sorted once so that every invariant finds what it asks about. */
export class Ledger {
  readonly facts: Facts
  readonly messages = new Map<string, MessageRecord>()
  readonly calls: Call[] = []
  readonly callsByOp = new Map<string, Call>()
  /** Changes of messages and checkpoints by `seq`. */
  readonly changes: (MessageTransition | CheckpointTransition)[] = []
  readonly rows: FinalRow[] = []
  readonly snapshots: Snapshot[] = []
  readonly system: SystemObservation[] = []
  readonly marks: Mark[] = []
  /** Times from which the database may have forgotten something. */
  readonly rewinds: readonly Rewound[]
  /** By how much times of different origin may differ without meaning anything, ms. */
  readonly slackMs: number

  constructor(readonly history: History) {
    this.facts = history.facts
    this.slackMs = history.facts.slackMs ?? 50
    this.rewinds = history.events.filter((event) => event.kind === 'rewound')
    const settled = new Map<string, Settled>()
    for (const event of history.events) if (event.kind === 'settle') settled.set(event.op, event)
    for (const event of history.events) this.enter(event, settled)
    this.enterChanges()
    if (this.rewinds.length > 0) this.findRewound()
  }

  /** The record of a message, made when there is none. */
  message(id: string): MessageRecord {
    let record = this.messages.get(id)
    if (record === undefined) {
      record = new MessageRecord(id)
      this.messages.set(id, record)
    }
    return record
  }

  /** The message a call was about, when it was one. */
  idOfCall(op: string): string | undefined {
    const invoked = this.callsByOp.get(op)?.invoked
    if (invoked === undefined) return undefined
    if (invoked.name === 'enqueue') return invoked.messages.length === 1 ? invoked.messages[0]?.id : undefined
    return 'id' in invoked ? invoked.id : undefined
  }

  /** When it happened by the clock of the host, ms since the epoch. The database's clock may differ from it. */
  hostTime(event: HistoryEvent): number {
    return event.mono + this.facts.epochMs
  }

  /** The final rows of one table. */
  table<Name extends FinalRow['table']>(name: Name): RowOf<Name>[] {
    return this.rows.filter((row): row is RowOf<Name> => row.table === name)
  }

  /** Whether the database may have forgotten what it did between these times (`mono`). */
  mayBeLost(since: number, until: number): boolean {
    return this.rewinds.some(({ from, to }) => since < to && until > from)
  }

  mark(what: Mark['what']): Mark | undefined {
    return this.marks.find((mark) => mark.what === what)
  }

  private enter(event: HistoryEvent, settled: ReadonlyMap<string, Settled>): void {
    switch (event.kind) {
      case 'invoke':
        this.enterCall(event, settled.get(event.op))
        return
      case 'started':
        this.message(event.id).starts.push(event)
        return
      case 'ended':
        this.message(event.id).ends.push(event)
        return
      case 'boundary':
        this.message(event.id).boundaries.push(event)
        return
      case 'accepted':
        if (!this.mayBeLost(event.sentMono ?? event.mono, event.mono)) {
          this.message(event.id).accepted.push(event)
        }
        return
      case 'message':
      case 'checkpoint':
        this.changes.push(event)
        return
      case 'row':
        this.enterRow(event)
        return
      case 'snapshot':
        this.snapshots.push(event)
        return
      case 'system':
        this.system.push(event)
        return
      case 'mark':
        this.marks.push(event)
        return
      case 'facts':
      case 'opened':
      case 'rewound':
      case 'settle':
    }
  }

  private enterCall(invoked: Invoked, settled: Settled | undefined): void {
    const lost = settled?.outcome === 'ok' && this.mayBeLost(invoked.mono, settled.mono)
    const call: Call = { invoked, settled, outcome: lost ? 'unknown' : (settled?.outcome ?? 'unknown') }
    this.calls.push(call)
    this.callsByOp.set(invoked.op, call)
    if (invoked.name === 'other') return
    if (invoked.name === 'dequeue') {
      for (const { id } of settled?.value?.claimed ?? []) this.message(id).claimedByHand.push(call)
      return
    }
    if (invoked.name !== 'enqueue') {
      this.message(invoked.id).calls.push(call)
      return
    }
    invoked.messages.forEach((message, index) => {
      const returned = settled?.value?.ids?.[index] ?? message.id
      this.message(message.id).enqueues.push({ ...call, invoked, message, yielded: returned !== message.id })
    })
  }

  private enterRow(row: FinalRow): void {
    this.rows.push(row)
    if (row.table === 'messages') this.message(row.id).row = row
    else if (row.table === 'steps') this.message(row.run).steps.push(row)
  }

  private enterChanges(): void {
    this.changes.sort((a, b) => a.seq - b.seq)
    for (const change of this.changes) {
      if (change.kind === 'checkpoint') {
        this.message(change.run).checkpoints.push(change)
        continue
      }
      const record = this.message(change.id)
      record.transitions.push(change)
      const { before, after } = change
      if (after !== null && after.lease !== null && after.claims > (before?.claims ?? 0)) {
        record.grants.push({ lease: after.lease, transition: change })
      }
    }
  }

  /** A body that was under way then may know what the database has forgotten. */
  private findRewound(): void {
    for (const record of this.messages.values()) {
      record.rewound = record.starts.some((start) => {
        const ended = record.ends.find(({ body }) => body === start.body)
        // The function of a run that is put down never ends; its hold does.
        const given = record.transitions.find(
          ({ before, after }) =>
            before?.lease === start.lease &&
            (after === null || !isHeld(after) || after.lease !== start.lease),
        )
        // A grant the database has forgotten was made while it forgot; the body may have begun a lease later at most.
        const forgotten = record.grantOf(start.lease) === undefined
        const since = forgotten ? start.mono - this.facts.leaseMs : start.mono
        return this.mayBeLost(since, (ended ?? given)?.mono ?? Infinity)
      })
    }
  }
}
