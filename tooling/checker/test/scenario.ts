import { historyOf, type History, type Unseen } from '../src/history-file.js'
import type { BodyOf, Facts, HistoryEvent } from '../src/history.js'
import type { EnqueuedMessage, Operation, OperationValue } from '../src/operations.js'
import type { CheckpointState, MessageState } from '../src/states.js'

export const EPOCH_MS = 1_000_000
export const LEASE_MS = 1000

type Outcome = 'ok' | 'fail' | 'unknown'

/** Writes synthetic histories: a little database that logs its transitions, and callers and bodies beside it. */
export class Scenario {
  readonly events: HistoryEvent[] = []
  private readonly rows = new Map<string, MessageState>()
  private readonly checkpoints = new Map<string, CheckpointState>()
  private now = 0
  private seq = 0
  private count = 0

  constructor(facts: Partial<Facts> = {}) {
    this.push({
      kind: 'facts',
      store: 'sqlite',
      load: 'test',
      seed: 7,
      faults: [],
      leaseMs: LEASE_MS,
      graceMs: 100,
      pollMs: 10,
      epochMs: EPOCH_MS,
      slackMs: 0,
      accounts: { a: 100, b: 100 },
      queues: {
        mail: { kind: 'queue', maxAttempts: 3, maxCrashes: 3, minBackoffMs: 100 },
        pay: { kind: 'workflow', maxAttempts: 3, maxCrashes: 3, stepAttempts: 2 },
      },
      ...facts,
    })
  }

  get time(): number {
    return this.now
  }

  get history(): History {
    return historyOf(this.events)
  }

  wait(ms: number): this {
    this.now += ms
    return this
  }

  push(event: Unseen, process = 'w1'): this {
    const seen = { process, mono: this.now, wall: this.now + EPOCH_MS }
    // Spreading a union loses which member it was.
    this.events.push({ ...seen, ...event })
    this.now += 1
    return this
  }

  /** A call and its end. Without an outcome it never ends. */
  call(operation: Operation, outcome?: Outcome, value?: OperationValue, timeoutMs = 5000): this {
    const op = `op${++this.count}`
    this.push({ kind: 'invoke', op, timeoutMs, ...operation }, 'client')
    if (outcome === undefined) return this
    return this.push({ kind: 'settle', op, outcome, ...(value === undefined ? {} : { value }) }, 'client')
  }

  /** Inserts the row of a message. */
  insert(message: EnqueuedMessage, more: Partial<MessageState> = {}): this {
    return this.change(message.id, {
      queue: message.queue,
      status: 'queued',
      vt: this.now + EPOCH_MS + (message.delayMs ?? 0),
      lease: null,
      worker: null,
      claims: 0,
      failures: 0,
      crashes: 0,
      priority: 0,
      key: message.key ?? null,
      keyKept: false,
      finishedAt: null,
      payload: message.payload,
      output: null,
      error: null,
      ...more,
    })
  }

  /** A call of enqueue that goes well. */
  enqueue(id: string, more: Partial<EnqueuedMessage> = {}): this {
    const message = { id, queue: 'mail', payload: JSON.stringify({ of: id }), ...more }
    this.insert(message)
    return this.call({ name: 'enqueue', messages: [message] }, 'ok', { ids: [id] })
  }

  /** Enqueues a message that is held from the start. */
  enqueueHeld(id: string, lease: string, worker = 'w1'): this {
    const message = { id, queue: 'mail', payload: JSON.stringify({ of: id }) }
    const held = { status: 'running', lease, worker, claims: 1, vt: this.now + EPOCH_MS + LEASE_MS } as const
    this.insert(message, held)
    return this.call({ name: 'enqueue', messages: [message] }, 'ok', { ids: [id] })
  }

  /** Changes the row of a message; null deletes it. */
  change(id: string, to: Partial<MessageState> | null): this {
    const before = this.rows.get(id) ?? null
    const after = to === null ? null : { ...(before as MessageState), ...to }
    if (after === null) this.rows.delete(id)
    else this.rows.set(id, after)
    return this.push(
      { kind: 'message', seq: ++this.seq, dbAt: this.now + EPOCH_MS, id, before, after },
      'database',
    )
  }

  state(id: string): MessageState {
    const row = this.rows.get(id)
    if (row === undefined) throw new Error(`no row ${id}`)
    return row
  }

  claim(id: string, lease: string, worker = 'w1'): this {
    const { claims, crashes, status } = this.state(id)
    return this.change(id, {
      status: status === 'cancelling' ? status : 'running',
      claims: claims + 1,
      crashes: status === 'running' ? crashes + 1 : crashes,
      vt: this.now + EPOCH_MS + LEASE_MS,
      lease,
      worker,
    })
  }

  finish(id: string, output: string | null = null, status: MessageState['status'] = 'success'): this {
    return this.change(id, { status, output, finishedAt: this.now + EPOCH_MS })
  }

  /** A body begins. */
  start(of: BodyOf['of'], id: string, lease: string, more: object = {}, process = 'w1'): this {
    const body = `b${++this.count}`
    return this.push({ kind: 'started', body, of, id, lease, attempt: 1, ...more }, process)
  }

  /** A body ends. */
  end(of: BodyOf['of'], id: string, lease: string, more: object = {}, process = 'w1'): this {
    return this.push(
      { kind: 'ended', body: `b${this.count}`, of, id, lease, how: 'returned', ...more },
      process,
    )
  }

  /** Changes a checkpoint of a run; null deletes it. */
  checkpoint(run: string, step: string, to: Partial<CheckpointState> | null): this {
    const at = `${run}/${step}`
    const fresh: CheckpointState = {
      of: 'step',
      status: 'success',
      output: null,
      error: null,
      failures: 0,
      wakeAt: null,
      position: this.checkpoints.size,
    }
    const before = this.checkpoints.get(at) ?? null
    const after = to === null ? null : { ...(before ?? fresh), ...to }
    if (after === null) this.checkpoints.delete(at)
    else this.checkpoints.set(at, after)
    const { lease, status } = this.rows.get(run) ?? { lease: null, status: null }
    return this.push(
      {
        ...{ kind: 'checkpoint', seq: ++this.seq, dbAt: this.now + EPOCH_MS, run, step, before, after },
        ...{ runLease: lease, runStatus: status },
      },
      'database',
    )
  }

  boundary(id: string, lease: string, index: number, step: string, more: object = {}): this {
    return this.push({
      ...{ kind: 'boundary', id, lease, step, scope: '', index, of: 'step', how: 'returned' },
      ...more,
    })
  }

  /** A step from the start of its body to the value its code gets. */
  step(id: string, lease: string, index: number, step: string, value: string, after?: string): this {
    const more = { step, ...(after === undefined ? {} : { after }) }
    return this.start('step', id, lease, more)
      .end('step', id, lease, { step, value })
      .checkpoint(id, step, { output: value })
      .boundary(id, lease, index, step, { value })
  }

  /** Reads every row, as after the run. */
  readRows(): this {
    const tallies = new Map<string, number>()
    for (const [id, row] of this.rows) {
      this.push({ kind: 'row', table: 'messages', id, ...row }, 'harness')
      if (row.finishedAt === null) continue
      const of = `${row.queue} ${row.status}`
      tallies.set(of, (tallies.get(of) ?? 0) + 1)
    }
    for (const [at, state] of this.checkpoints) {
      const [run = '', step = ''] = at.split('/')
      this.push({ kind: 'row', table: 'steps', run, step, ...state }, 'harness')
    }
    for (const [of, n] of tallies) {
      const [queue = '', status = ''] = of.split(' ')
      this.push({ kind: 'row', table: 'tallies', queue, status, n }, 'harness')
    }
    return this
  }

  /** Changes events that are there already. Throws when there is none. */
  edit<Kind extends HistoryEvent['kind']>(
    kind: Kind,
    which: (event: Extract<HistoryEvent, { kind: Kind }>) => boolean,
    to: object | ((event: Extract<HistoryEvent, { kind: Kind }>) => object),
  ): this {
    const places = this.events.flatMap((event, place) => (is(event, kind) && which(event) ? [place] : []))
    if (places.length === 0) throw new Error(`nothing to edit of kind ${kind}`)
    for (const place of places) {
      const event = this.events[place] as Extract<HistoryEvent, { kind: Kind }>
      this.events[place] = { ...event, ...(typeof to === 'function' ? to(event) : to) } as HistoryEvent
    }
    return this
  }

  /** Removes events. Throws when there is none. */
  drop(which: (event: HistoryEvent) => boolean): this {
    const kept = this.events.filter((event) => !which(event))
    if (kept.length === this.events.length) throw new Error('nothing to drop')
    this.events.splice(0, this.events.length, ...kept)
    return this
  }
}

function is<Kind extends HistoryEvent['kind']>(
  event: HistoryEvent,
  kind: Kind,
): event is Extract<HistoryEvent, { kind: Kind }> {
  return event.kind === kind
}
