import type { WorkerStatus } from '../status.js'
import { toMs, type Duration } from '../duration.js'
import { InvalidStateError, NotFoundError } from '../errors.js'
import { checkKeys, display } from '../names.js'
import type { WorkerRow } from '../store/records.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { statesBefore } from '../store/registration.js'

/** A worker, consumer or named producer as the admin shows it. */
export interface WorkerInfo {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: readonly string[]
  readonly status: WorkerStatus
  /** `healthy`, `stale` when its heartbeat is late, `stopped`. */
  readonly health: 'healthy' | 'stale' | 'stopped'
  readonly startedAt: Date
  readonly heartbeatAt: Date
  /** Age of the last heartbeat in ms, by the database's clock. */
  readonly heartbeatAgeMs: number
  readonly stoppedAt: Date | undefined
  /** Messages it holds at this moment. */
  readonly held: number
}

/** Workers at a glance. */
export interface WorkerStats {
  readonly total: number
  readonly byStatus: Readonly<Record<WorkerStatus, number>>
  readonly healthy: number
  readonly stale: number
  readonly held: number
}

/** Workers, from any process. */
export class WorkerAdmin {
  /** @internal */
  constructor(private readonly engine: Engine) {}

  /**
   * Every worker that is registered, oldest first.
   * @param options `staleAfter`: a heartbeat older than this is late. Default: three heartbeat intervals.
   */
  async list(options: CallOptions & { readonly staleAfter?: Duration } = {}): Promise<WorkerInfo[]> {
    checkKeys(options, ['staleAfter', 'signal'], 'workers')
    const staleMs = this.ageMs(options.staleAfter, 'staleAfter')
    const rows = await this.engine.run(
      this.engine.queries.workers.list,
      { now: this.engine.now },
      'list workers',
      options,
    )
    return rows.map((row) => workerInfo(row, staleMs))
  }

  /** @throws NotFoundError */
  async get(id: string, options: CallOptions & { readonly staleAfter?: Duration } = {}): Promise<WorkerInfo> {
    const found = (await this.list(options)).find((worker) => worker.id === id)
    if (found === undefined) throw new NotFoundError(`There is no worker with the id ${display(id)}.`)
    return found
  }

  async stats(options: CallOptions & { readonly staleAfter?: Duration } = {}): Promise<WorkerStats> {
    const workers = await this.list(options)
    const count = (status: WorkerStatus): number =>
      workers.filter((worker) => worker.status === status).length
    return {
      total: workers.length,
      byStatus: {
        ready: count('ready'),
        polling: count('polling'),
        suspended: count('suspended'),
        interrupted: count('interrupted'),
        stopped: count('stopped'),
      },
      healthy: workers.filter((worker) => worker.health === 'healthy').length,
      stale: workers.filter((worker) => worker.health === 'stale').length,
      held: workers.reduce((sum, worker) => sum + worker.held, 0),
    }
  }

  /** Lets the worker claim nothing more until it is resumed; what it holds goes on. @throws InvalidStateError, NotFoundError */
  async suspend(id: string, options: CallOptions = {}): Promise<void> {
    await this.move(id, 'suspended', options)
  }

  /** Lets a suspended worker go on. @throws InvalidStateError, NotFoundError */
  async resume(id: string, options: CallOptions = {}): Promise<void> {
    await this.move(id, 'ready', options)
  }

  /** Makes a polling worker stop as if its own process had asked. @throws InvalidStateError, NotFoundError */
  async interrupt(id: string, options: CallOptions = {}): Promise<void> {
    await this.move(id, 'interrupted', options)
  }

  /**
   * Marks a suspended worker as stopped.
   * @param options `release`: give back what it holds, at once
   * @throws InvalidStateError when it is not suspended, or holds messages and `release` is not given
   * @throws NotFoundError
   */
  async shutdown(id: string, options: CallOptions & { readonly release?: boolean } = {}): Promise<void> {
    checkKeys(options, ['release', 'signal'], 'shutdown')
    const { release, ...call } = options
    const worker = await this.get(id, call)
    if (worker.held > 0 && release !== true) {
      throw new InvalidStateError(
        `Worker ${id} (${worker.name}) holds ${worker.held} messages. Wait for them, or give release.`,
      )
    }
    await this.move(id, 'stopped', call)
    if (release === true) await this.releaseHeld(id, call)
  }

  /**
   * Forgets workers that are silent for longer than `olderThan` and hold nothing. Returns how many.
   */
  async purge(olderThan: Duration, options: CallOptions = {}): Promise<number> {
    const args = { age_ms: toMs(olderThan, 'olderThan'), now: this.engine.now }
    return (await this.engine.run(this.engine.queries.workers.purge, args, 'purge workers', options)).length
  }

  /**
   * Makes messages of workers that are silent for longer than `silentFor` claimable now, before their leases lapse.
   * Needed only when leases are long: a lapsed lease is taken over by itself. Returns how many.
   */
  async reclaim(options: CallOptions & { readonly silentFor?: Duration } = {}): Promise<number> {
    checkKeys(options, ['silentFor', 'signal'], 'reclaim')
    const args = { age_ms: this.ageMs(options.silentFor, 'silentFor'), now: this.engine.now }
    const rows = await this.engine.run(this.engine.queries.messages.reclaim, args, 'reclaim', options)
    this.engine.wakeups.hint([...new Set(rows.map((row) => `queue:${row.queue}` as const))])
    return rows.length
  }

  private ageMs(age: Duration | undefined, what: string): number {
    return age === undefined ? this.engine.config.heartbeatMs * 3 : toMs(age, what)
  }

  private async releaseHeld(id: string, options: CallOptions): Promise<void> {
    const { queries, operations } = this.engine
    const held = await this.engine.run(queries.workers.held, { id }, 'release', options)
    await this.engine.submitAll(
      operations.release,
      held.map((row) => ({
        id: row.id,
        lease_id: row.lease_id,
        status: 'queued',
        delay_ms: 0,
        at_ms: null,
        error: null,
        failed: 0,
        unless_steps: null,
      })),
      options,
    )
    this.engine.wakeups.hint([...new Set(held.map((row) => `queue:${row.queue}` as const))])
  }

  private async move(id: string, to: WorkerStatus, options: CallOptions): Promise<void> {
    const worker = await this.get(id, options)
    const from = statesBefore(to)
    const args = { id, from: JSON.stringify(from), to, now: this.engine.now }
    const [moved] = await this.engine.run(
      this.engine.queries.workers.move,
      args,
      `move worker to ${to}`,
      options,
    )
    if (moved === undefined) {
      throw new InvalidStateError(
        `Worker ${id} (${worker.name}) is ${worker.status}; only ${from.join(' or ')} can become ${to}.`,
      )
    }
    this.engine.wakeups.hint(['workers'])
  }
}

function workerInfo(row: WorkerRow, staleMs: number): WorkerInfo {
  return {
    id: row.id,
    name: row.name,
    host: row.host,
    pid: row.pid,
    queues: JSON.parse(row.queues) as string[],
    status: row.status,
    health: row.status === 'stopped' ? 'stopped' : row.age_ms > staleMs ? 'stale' : 'healthy',
    startedAt: new Date(row.started_at),
    heartbeatAt: new Date(row.heartbeat_at),
    heartbeatAgeMs: row.age_ms,
    stoppedAt: row.stopped_at === null ? undefined : new Date(row.stopped_at),
    held: row.held,
  }
}
