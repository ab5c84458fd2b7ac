import { InvalidArgumentError, InvalidStateError, NotFoundError } from '../errors.js'
import { checkKeys, checkName, display, suggestion } from '../names.js'
import type { QueueRow } from '../store/records.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { removeSome } from '../store/retention.js'

/** A queue as the admin shows it. */
export interface QueueInfo {
  readonly name: string
  readonly kind: 'queue' | 'workflow'
  readonly pausedAt: Date | undefined
  readonly createdAt: Date
}

/** Counts of one queue. Each message is in exactly one of the six. */
export interface QueueMetrics {
  readonly queue: string
  readonly kind: 'queue' | 'workflow'
  /** The queue is paused: nothing is claimed from it. */
  readonly isPaused: boolean
  /** Due now. */
  readonly ready: number
  /** Due later. */
  readonly delayed: number
  /** Held by somebody. */
  readonly leased: number
  /** Runs that wait for a time or a signal. */
  readonly paused: number
  /** Finished and kept: successes and cancellations. */
  readonly archived: number
  /** Dead letters and failed runs. */
  readonly dead: number
  /** For how long the oldest ready message has been due, in ms; undefined when none is ready. */
  readonly oldestReadyMs: number | undefined
}

/** What `purge` takes away. */
export type PurgeWhat = 'waiting' | 'archived' | 'dead' | 'all'

const PURGE_BATCH = 1000
const LATEST_MS = 253_402_300_799_000

/** Queues as a whole. */
export class QueueAdmin {
  /** @internal */
  constructor(private readonly engine: Engine) {}

  /** Makes a queue known before its first use. Creating it twice is no error. */
  async create(name: string, options: CallOptions = {}): Promise<void> {
    checkName('queue', name)
    const args = { name, kind: 'queue', now: this.engine.now }
    await this.engine.run(this.engine.queries.queues.ensure, args, 'create queue', options)
  }

  async list(options: CallOptions = {}): Promise<QueueInfo[]> {
    return (await this.engine.run(this.engine.queries.queues.list, {}, 'list queues', options)).map(queueInfo)
  }

  /** Lets nobody claim from the queue until it is resumed. What is held goes on. @throws NotFoundError */
  async pause(name: string, options: CallOptions = {}): Promise<QueueInfo> {
    const args = { name: checkName('queue', name), now: this.engine.now }
    return this.changed(
      name,
      await this.engine.run(this.engine.queries.queues.pause, args, 'pause queue', options),
    )
  }

  /** @throws NotFoundError */
  async resume(name: string, options: CallOptions = {}): Promise<QueueInfo> {
    const args = { name: checkName('queue', name) }
    const info = await this.changed(
      name,
      await this.engine.run(this.engine.queries.queues.resume, args, 'resume queue', options),
    )
    this.engine.wakeups.hint([`queue:${name}`])
    return info
  }

  /**
   * Removes messages in batches and returns how many. `waiting` takes those nobody holds, `archived` and `dead` those
   * that have finished, `all` everything but what is held at this moment.
   * @throws NotFoundError
   */
  async purge(
    name: string,
    what: PurgeWhat,
    options: CallOptions & { readonly onProgress?: (removed: number) => void } = {},
  ): Promise<number> {
    const statuses = {
      waiting: [],
      archived: ['success', 'cancelled'],
      dead: ['error'],
      all: ['success', 'cancelled', 'error'],
    }
    checkKeys(options, ['signal', 'onProgress'], 'purge')
    if (!Object.hasOwn(statuses, what)) {
      throw new InvalidArgumentError(`purge takes waiting, archived, dead or all. Got ${display(what)}.`)
    }
    await this.mustKnow(name)
    const live = what === 'waiting' || what === 'all'
    let removed = 0
    for (;;) {
      options.signal?.throwIfAborted()
      const batch = await removeSome(this.engine, {
        queue: name,
        live,
        statuses: statuses[what],
        finishedBeforeMs: LATEST_MS,
        limit: PURGE_BATCH,
      })
      removed += batch
      if (batch > 0) options.onProgress?.(removed)
      if (batch < PURGE_BATCH) break
    }
    this.engine.wakeups.hint([`done:${name}`])
    return removed
  }

  /**
   * Deletes a queue with everything in it. A producer or worker that still uses it brings an empty one back.
   * @throws InvalidStateError when it has unfinished messages and `force` is not given, or somebody holds one
   * @throws NotFoundError
   */
  async delete(name: string, options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    checkKeys(options, ['force', 'signal'], 'delete')
    await this.mustKnow(name)
    const { ready, delayed, leased, paused } = await this.metrics(name)
    const waiting = ready + delayed + paused
    if (leased > 0)
      throw new InvalidStateError(`Queue ${name} has held messages: ${leased}. Stop its workers first.`)
    if (waiting > 0 && options.force !== true) {
      throw new InvalidStateError(
        `Queue ${name} has unfinished messages: ${waiting}. Purge it first, or delete it with { force: true }.`,
      )
    }
    await this.purge(name, 'all', options.signal === undefined ? {} : { signal: options.signal })
    const [row] = await this.engine.run(this.engine.queries.queues.remove, { name }, 'delete queue', options)
    this.engine.forgetQueue(name)
    if (row === undefined)
      throw new InvalidStateError(`Queue ${name} got new messages meanwhile. Stop its producers first.`)
  }

  /** Counts of one queue. @throws NotFoundError */
  async metrics(name: string, options: CallOptions = {}): Promise<QueueMetrics> {
    await this.mustKnow(name)
    const found = (await this.allMetrics(options)).find((m) => m.queue === name)
    if (found === undefined) throw new NotFoundError(`Queue ${display(name)} was deleted.`)
    return found
  }

  /** Counts of every queue. Walks over live messages only: an archive of any size costs nothing. */
  async allMetrics(options: CallOptions = {}): Promise<QueueMetrics[]> {
    const { queues } = this.engine.queries
    const [known, live, finished] = await Promise.all([
      this.engine.run(queues.list, {}, 'count', options),
      this.engine.run(queues.liveCounts, { now: this.engine.now }, 'count', options),
      this.engine.run(queues.finishedCounts, {}, 'count', options),
    ])
    return known.map(({ name, kind, paused_at }) => {
      const counts = live.find((row) => row.queue === name)
      const n = (status: string): number =>
        finished.find((row) => row.queue === name && row.status === status)?.n ?? 0
      return {
        queue: name,
        kind,
        isPaused: paused_at !== null,
        ready: counts?.ready ?? 0,
        delayed: counts?.delayed ?? 0,
        leased: counts?.leased ?? 0,
        paused: counts?.paused ?? 0,
        archived: n('success') + n('cancelled'),
        dead: n('error'),
        oldestReadyMs: counts?.oldest_ms ?? undefined,
      }
    })
  }

  /** @internal @throws NotFoundError that names the nearest queue */
  async mustKnow(name: string): Promise<void> {
    checkName('queue', name)
    const names = (await this.list()).map((queue) => queue.name)
    if (!names.includes(name)) throw unknownQueue(name, names)
  }

  private async changed(name: string, rows: readonly QueueRow[]): Promise<QueueInfo> {
    const [row] = rows
    if (row !== undefined) return queueInfo(row)
    throw unknownQueue(
      name,
      (await this.list()).map((queue) => queue.name),
    )
  }
}

function unknownQueue(name: string, names: readonly string[]): NotFoundError {
  return new NotFoundError(`There is no queue ${display(name)}.${suggestion(name, names)}`)
}

function queueInfo(row: QueueRow): QueueInfo {
  return {
    name: row.name,
    kind: row.kind,
    pausedAt: row.paused_at === null ? undefined : new Date(row.paused_at),
    createdAt: new Date(row.created_at),
  }
}
