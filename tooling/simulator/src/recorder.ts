import type { Row, Statement } from '@pgqrs/core/driver'
import type { CheckpointState, HistoryEvent, MessageState, Seen } from '@pgqrs/checker'
import { EPOCH_MS, type Life } from './life.js'
import { isLease } from './identities.js'
import type { Timeline } from './timeline.js'

/** Cells of a message's row in the order in which the triggers hand them over. */
export const messageCells = [
  'queue',
  'status',
  'vt',
  'lease_id',
  'worker_id',
  'claims',
  'failures',
  'crashes',
  'priority',
  'key',
  'key_kept',
  'finished_at',
  'payload',
  'output',
  'error',
] as const

/** Cells of a checkpoint's row, likewise. */
export const checkpointCells = [
  'kind',
  'status',
  'output',
  'error',
  'failures',
  'wake_at',
  'position',
] as const

/** A change of a row, as a trigger saw it. */
export type Transition = Extract<HistoryEvent, { kind: 'message' | 'checkpoint' }>

type Unsigned<Event> = Event extends Seen ? Omit<Event, keyof Seen> : never

// What a call of a holder is called in the history.
const writes = new Set(['finish', 'release', 'extend', 'delete', 'record'])

/** Writes down what is seen of one schedule, in memory. */
export class Recorder {
  readonly history: HistoryEvent[] = []
  /** Told of each change of a row once it is committed. */
  onTransition: (transition: Transition) => void = () => undefined
  private readonly pending: Unsigned<Transition>[] = []
  private seq = 0
  private ops = 0

  constructor(
    private readonly timeline: Timeline,
    private readonly databaseNow: () => number,
  ) {}

  /** A name no other call or body of the history has. */
  unique(prefix: string): string {
    return `${prefix}${++this.ops}`
  }

  /** Who saw it, and when. */
  seen(life: Life | string): Seen {
    const mono = this.timeline.now
    return typeof life === 'string'
      ? { process: life, mono, wall: EPOCH_MS + mono }
      : { process: life.name, mono, wall: life.clock.wallNow() }
  }

  add(event: HistoryEvent): void {
    this.history.push(event)
  }

  /** Called by the triggers, in the transaction of the change. */
  messageChanged(id: string, cells: readonly unknown[]): void {
    const seq = ++this.seq
    const half = messageCells.length
    const before = messageState(cells.slice(0, half))
    const after = messageState(cells.slice(half))
    const dbAt = this.databaseNow()
    this.pending.push({ kind: 'message', seq, dbAt, id, before, after })
  }

  /** Called by the triggers, in the transaction of the change. */
  checkpointChanged(
    run: string,
    step: string,
    holder: readonly [lease: unknown, status: unknown],
    cells: readonly unknown[],
  ): void {
    const seq = ++this.seq
    const half = checkpointCells.length
    const before = checkpointState(cells.slice(0, half))
    const after = checkpointState(cells.slice(half))
    const dbAt = this.databaseNow()
    const runLease = holder[0] as string | null
    const runStatus = holder[1] as MessageState['status'] | null
    this.pending.push({ kind: 'checkpoint', seq, dbAt, run, step, before, after, runLease, runStatus })
  }

  /** What the triggers told since the last call is committed. */
  commit(life: Life | string): void {
    if (this.pending.length === 0) return
    const seen = this.seen(life)
    for (const change of this.pending.splice(0)) {
      const transition: Transition = { ...seen, ...change }
      this.history.push(transition)
      this.onTransition(transition)
    }
  }

  /**
   * The same for a sending that its sender had given up, and has repeated meanwhile: what it has put there nobody was told
   * of. Returns the messages it has put there.
   */
  commitUnheard(life: Life): string[] {
    const ids: string[] = []
    for (const change of this.pending) {
      if (change.kind !== 'message' || change.before !== null || change.after === null) continue
      const { id, after } = change
      const op = this.unique('op-')
      const { queue, payload, key } = after
      const message = { id, queue, payload: payload ?? '', ...(key === null ? {} : { key }) }
      this.add({ ...this.seen(life), kind: 'invoke', op, name: 'enqueue', messages: [message] })
      this.add({ ...this.seen(life), kind: 'settle', op, outcome: 'unknown' })
      ids.push(id)
    }
    this.commit(life)
    return ids
  }

  /** What the triggers told since the last commit has not happened. */
  rollBack(): void {
    this.pending.length = 0
  }

  /** A holder was told that its write took effect. */
  accepted(life: Life, name: string, rows: readonly Row[], statement: Statement | undefined): void {
    if (!writes.has(name)) return
    const lease = statement?.parameters.find(isLease) ?? ''
    for (const row of rows) {
      const stepName = row['name']
      const step = typeof stepName === 'string' ? { step: stepName } : {}
      this.history.push({
        ...this.seen(life),
        kind: 'accepted',
        write: name as 'finish',
        id: (row['id'] ?? row['run_id']) as string,
        lease,
        ...step,
      })
    }
  }
}

/** The state behind the cells of a row; null when there is no row. */
export function messageState(cells: readonly unknown[]): MessageState | null {
  if (cells[1] === null) return null
  const [queue, status, vt, lease, worker, claims, failures, crashes, priority, key, keyKept, finishedAt] =
    cells
  return {
    queue: queue as string,
    status: status as MessageState['status'],
    vt: vt as number,
    lease: lease as string | null,
    worker: worker as string | null,
    claims: claims as number,
    failures: failures as number,
    crashes: crashes as number,
    priority: priority as number,
    key: key as string | null,
    keyKept: keyKept === 1,
    finishedAt: finishedAt as number | null,
    payload: cells[12] as string,
    output: cells[13] as string | null,
    error: cells[14] as string | null,
  }
}

/** The state behind the cells of a row; null when there is no row. */
export function checkpointState(cells: readonly unknown[]): CheckpointState | null {
  if (cells[0] === null) return null
  return {
    of: cells[0] as CheckpointState['of'],
    status: cells[1] as CheckpointState['status'],
    output: cells[2] as string | null,
    error: cells[3] as string | null,
    failures: cells[4] as number,
    wakeAt: cells[5] as number | null,
    position: cells[6] as number,
  }
}
