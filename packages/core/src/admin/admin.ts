import { InvalidArgumentError } from '../errors.js'
import type { CallOptions, Engine } from '../store/engine.js'
import { install, uninstall, verify, type InstallReport, type VerifyReport } from '../store/install.js'
import { DeadLetterAdmin, MessageAdmin } from './messages.js'
import { QueueAdmin, type QueueMetrics } from './queues.js'
import { RunAdmin } from './runs.js'
import { WorkerAdmin, type WorkerStats } from './workers.js'

/** The whole system at a glance. */
export interface SystemStats {
  readonly schemaVersion: number
  readonly queues: number
  readonly workflows: number
  readonly ready: number
  readonly delayed: number
  readonly leased: number
  readonly paused: number
  readonly archived: number
  readonly dead: number
  readonly workers: WorkerStats
}

/** Everything an operator does. */
export class Admin {
  readonly queues: QueueAdmin
  readonly messages: MessageAdmin
  readonly dead: DeadLetterAdmin
  readonly runs: RunAdmin
  readonly workers: WorkerAdmin

  /** @internal */
  constructor(private readonly engine: Engine) {
    this.queues = new QueueAdmin(engine)
    this.messages = new MessageAdmin(engine, this.queues)
    this.dead = new DeadLetterAdmin(engine, this.messages)
    this.runs = new RunAdmin(this.queues, this.messages, this.dead)
    this.workers = new WorkerAdmin(engine)
  }

  /**
   * Creates or updates the tables. Safe to call at every start and by any number of processes at once.
   * @throws SchemaMissingError, PermissionError with the statement that helps
   */
  async install(): Promise<InstallReport> {
    return install(this.engine)
  }

  /** Compares tables, columns, indexes and version with what this code needs. Changes nothing. */
  async verify(): Promise<VerifyReport> {
    return verify(this.engine)
  }

  /** Drops every table of pgqrs with everything in it. */
  async uninstall(options: { readonly confirm: 'drop every table of pgqrs' }): Promise<void> {
    if ((options as { confirm?: unknown } | undefined)?.confirm !== 'drop every table of pgqrs') {
      throw new InvalidArgumentError(
        "uninstall drops all data: call it with { confirm: 'drop every table of pgqrs' }.",
      )
    }
    await uninstall(this.engine)
  }

  /** Counts of one queue, or of all. @throws NotFoundError */
  async metrics(options?: CallOptions): Promise<QueueMetrics[]>
  async metrics(queue: string, options?: CallOptions): Promise<QueueMetrics>
  async metrics(
    queueOrOptions?: string | CallOptions,
    options?: CallOptions,
  ): Promise<QueueMetrics | QueueMetrics[]> {
    return typeof queueOrOptions === 'string'
      ? this.queues.metrics(queueOrOptions, options)
      : this.queues.allMetrics(queueOrOptions)
  }

  /** The whole system at a glance. */
  async stats(options: CallOptions = {}): Promise<SystemStats> {
    const [{ version }, metrics, workers] = await Promise.all([
      this.engine.schemaVersion(options),
      this.queues.allMetrics(options),
      this.workers.stats(options),
    ])
    const sum = (pick: (m: QueueMetrics) => number): number =>
      metrics.reduce((total, m) => total + pick(m), 0)
    return {
      schemaVersion: version,
      queues: metrics.filter((m) => m.kind === 'queue').length,
      workflows: metrics.filter((m) => m.kind === 'workflow').length,
      ready: sum((m) => m.ready),
      delayed: sum((m) => m.delayed),
      leased: sum((m) => m.leased),
      paused: sum((m) => m.paused),
      archived: sum((m) => m.archived),
      dead: sum((m) => m.dead),
      workers,
    }
  }
}
