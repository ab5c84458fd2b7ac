import { fromErrorRecord, parseErrorRecord } from '../codec/error-record.js'
import type { Status, WorkerStatus } from '../status.js'
import { toCount, toMs, type Duration } from '../duration.js'
import { InvalidArgumentError, InvalidStateError } from '../errors.js'
import { checkKeys, checkName, display } from '../names.js'
import type { ClaimFrom } from '../queue/claimer.js'
import type { Engine } from '../store/engine.js'
import type { ClaimedRow } from '../store/records.js'
import { Registration } from '../store/registration.js'
import type { WorkerEvent } from './events.js'
import type { Held } from './held.js'
import { Holding } from './holding.js'
import { Intake } from './intake.js'
import { applyRetention, retention, type Retention, type RetentionOptions } from './maintenance.js'
import { Renewal } from './renewal.js'
import type { AbortCause, Task, TaskContext } from './task.js'

/** Options of a worker. */
export interface WorkerOptions {
  /** Name in the list of workers. Default: `worker`. */
  readonly name?: string
  /** Messages and runs at once. Default 10. */
  readonly concurrency?: number
  /** Removes what finished long ago, in small batches, while the worker runs. Default: nothing is removed. */
  readonly retention?: RetentionOptions
  /** Told what happens. An error it throws is ignored. */
  readonly onEvent?: (event: WorkerEvent) => void
}

/** Options of {@link Worker.stop}. */
export interface StopOptions {
  /** How long running handlers may go on before their signal aborts. Default 20 s. */
  readonly grace?: Duration
}

/** Why a worker stopped. */
export type StopReason = 'stopped' | 'interrupted'

const MAINTAIN_EVERY_MS = 60_000
// A handler that ignores its signal is left behind after this; its message is given back under the fence.
const ABORT_GRACE_MS = 500

/**
 * Claims messages and runs and executes them, within one budget of concurrency, until it is stopped. It survives
 * restarts of the database: it tries again with back-off and never ends the process.
 */
export class Worker {
  /** Resolves when the worker has stopped, with the reason. */
  readonly stopped: Promise<StopReason>
  private readonly registration: Registration
  private readonly intake: Intake
  private readonly holding: Holding
  private readonly renewal: Renewal
  private readonly from: ClaimFrom[]
  private readonly keep: Retention
  private readonly emit: (event: WorkerEvent) => void
  private readonly forget: () => void
  private readonly unsubscribe: (() => void)[] = []
  private resolveStopped!: (reason: StopReason) => void
  private started = false
  private starting: Promise<void> = Promise.resolve()
  private stopping: Promise<void> | undefined
  private loop: Promise<void> = Promise.resolve()
  private maintainedAt = -Infinity

  /** @internal */
  constructor(
    private readonly engine: Engine,
    private readonly tasks: ReadonlyMap<string, Task>,
    options: WorkerOptions = {},
  ) {
    checkKeys(options, ['name', 'concurrency', 'retention', 'onEvent'], 'worker')
    if (tasks.size === 0)
      throw new InvalidArgumentError('A worker needs at least one workflow or queue handler.')
    const concurrency = toCount(options.concurrency ?? 10, 'concurrency', 1, 100_000)
    this.keep = retention(options.retention)
    if (options.onEvent !== undefined && typeof options.onEvent !== 'function') {
      throw new InvalidArgumentError(`onEvent must be a function. Got ${display(options.onEvent)}.`)
    }
    this.emit = quiet(options.onEvent)
    this.from = [...tasks.values()].map(({ queue, policy }) => ({
      queue,
      leaseMs: policy.leaseMs ?? engine.config.leaseMs,
      maxCrashes: policy.maxCrashes ?? engine.config.maxCrashes,
    }))
    const beatMs = Math.min(engine.config.heartbeatMs, ...this.from.map((f) => f.leaseMs / 3))
    this.registration = new Registration(
      engine,
      {
        name: options.name === undefined ? 'worker' : checkName('worker', options.name),
        queues: [...tasks.keys()],
        onStatus: (status) => {
          this.told(status)
        },
        idle: () => this.active === 0,
        onBeat: () => this.renewal.renew(),
      },
      beatMs,
    )
    this.holding = new Holding(concurrency, engine.clock, {
      mayBegin: () => this.mayBegin(),
      begin: (held, handled) => this.handle(held, handled),
      onRoom: () => {
        this.intake.roomFree()
      },
    })
    this.renewal = new Renewal(engine, this.holding, beatMs)
    this.intake = new Intake(engine, this.from, this.holding, {
      workerId: () => this.registration.id,
      stopping: () => this.isStopping(),
      suspended: () => this.registration.state !== 'polling',
      onEnded: (row, status, error) => {
        this.tellEnded(row, status, error)
      },
    })
    this.stopped = new Promise((resolve) => {
      this.resolveStopped = resolve
    })
    this.forget = engine.onClose(() => this.stop())
  }

  /** Id of this worker among the workers. */
  get id(): string {
    return this.registration.id
  }

  /** The worker's state: `polling` while it works. */
  get status(): WorkerStatus {
    return this.registration.state
  }

  /** Messages and runs it holds at this moment. */
  get active(): number {
    return this.holding.size
  }

  /**
   * Registers and begins to work; resolves once it polls.
   * @throws InvalidStateError when it was started or stopped before
   * @throws NotInstalledError, ConnectionError and the like
   */
  async start(): Promise<void> {
    this.engine.mustBeOpen('start a worker')
    if (this.started || this.stopping !== undefined) {
      throw new InvalidStateError('A worker starts once. Make another with store.worker(…).')
    }
    this.started = true
    const starting = this.begin()
    this.starting = starting.catch(() => undefined)
    await starting
  }

  private async begin(): Promise<void> {
    try {
      await this.knowQueues()
      await this.registration.ensure()
      await this.registration.move('polling')
    } catch (error) {
      this.started = false
      throw error
    }
    await this.hearHints()
    const cancels = this.from.map((f) => `cancel:${f.queue}` as const)
    this.unsubscribe.push(
      this.engine.wakeups.on(cancels, () => void this.renewal.lookForCancels()),
      this.engine.wakeups.on(['workers'], () => void this.registration.look()),
    )
    this.renewal.watchDeadlines()
    this.loop = this.work()
  }

  private async hearHints(): Promise<void> {
    const { wakeups, driver } = this.engine
    await wakeups.listen()
    if (driver.wake === undefined) return
    const tell = (): void => {
      this.emit({ type: 'hints', arrive: wakeups.proved })
    }
    this.unsubscribe.push(wakeups.onProved(tell))
    tell()
  }

  /**
   * Stops claiming, waits for what runs, then aborts what is left and gives it back; none of it counts as a failed
   * attempt. Safe to call more than once.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const graceMs = graceOf(options)
    this.stopping ??= this.shutDown(graceMs, 'stopped')
    await this.stopping
  }

  private async shutDown(graceMs: number, reason: StopReason): Promise<void> {
    this.forget()
    this.intake.stop()
    // What a start that goes on would begin, nobody would end.
    await this.starting
    await this.loop
    await this.holding.giveBackWaiting()
    await this.holding.drain(graceMs)
    for (const held of this.holding.all) held.abort('stop')
    await this.holding.drain(ABORT_GRACE_MS)
    await this.holding.giveBackAll()
    this.renewal.stop()
    for (const unsubscribe of this.unsubscribe) unsubscribe()
    await this.registration.stop()
    this.resolveStopped(reason)
  }

  private async work(): Promise<void> {
    let failures = 0
    while (this.stopping === undefined) {
      try {
        await this.intake.look()
        await this.maintain()
        await this.intake.wait()
        failures = 0
      } catch (error) {
        failures++
        this.emit({ type: 'trouble', error })
        await this.intake.backOff(failures)
      }
    }
  }

  private tellEnded({ queue, id }: ClaimedRow, status: Status, error: string | null): void {
    if (status === 'cancelled') this.emit({ type: 'cancelled', queue, id })
    else {
      const thrown = error === null ? undefined : fromErrorRecord(parseErrorRecord(error))
      this.emit({ type: 'dead', queue, id, error: thrown })
    }
  }

  private mayBegin(): boolean {
    return this.stopping === undefined && this.registration.state === 'polling'
  }

  private async handle(held: Held, handled: () => void): Promise<void> {
    const { row, lease } = held.claimed
    const { id, queue } = row
    try {
      // While it waited for a slot, it may have been lost or asked to cancel.
      if (held.cause === 'lease_lost') this.emit({ type: 'lease_lost', queue, id })
      else if (held.cause === 'cancelled') {
        await lease.finish({ status: 'cancelled', output: null, error: null, failed: 0 })
        this.emit({ type: 'cancelled', queue, id })
      } else {
        this.emit({ type: 'claimed', queue, id, attempt: row.failures + 1, crashes: row.crashes })
        await this.tasks.get(queue)?.execute(held.claimed, this.context(held, handled))
      }
    } catch (error) {
      // The lease lapses by itself when even its end could not be written.
      this.emit({ type: 'trouble', error })
    }
  }

  private context(held: Held, handled: () => void): TaskContext {
    return {
      abort: held.switch,
      cause: (): AbortCause | undefined => held.cause,
      stopping: () => this.isStopping(),
      handled,
      emit: this.emit,
    }
  }

  private isStopping(): boolean {
    return this.stopping !== undefined
  }

  /** Somebody else moved this worker to another state. */
  private told(status: WorkerStatus): void {
    if (status === 'ready' && this.stopping === undefined) {
      void this.registration.move('polling').then(
        () => {
          this.intake.roomFree()
        },
        () => undefined,
      )
    }
    if (status === 'interrupted') this.stopping ??= this.shutDown(toMs('20s', 'grace'), 'interrupted')
    if (status === 'stopped') this.stopping ??= this.shutDown(0, 'stopped')
    this.intake.roomFree()
  }

  private async knowQueues(): Promise<void> {
    for (const task of this.tasks.values()) await this.engine.knowQueue(task.queue, task.kind)
  }

  private async maintain(): Promise<void> {
    const now = this.engine.clock.monotonic()
    if (now - this.maintainedAt < MAINTAIN_EVERY_MS) return
    this.maintainedAt = now
    await this.knowQueues()
    const removed = await applyRetention(this.engine, [...this.tasks.keys()], this.keep)
    // A full batch means there is more: the next round goes on instead of waiting a minute.
    if (removed > 0) this.maintainedAt = -Infinity
  }

  /** @internal What it was made for, for messages. */
  describe(): string {
    return [...this.tasks.keys()].map(display).join(', ')
  }
}

function graceOf(options: StopOptions): number {
  checkKeys(options, ['grace'], 'stop')
  return toMs(options.grace ?? '20s', 'grace')
}

function quiet(onEvent: ((event: WorkerEvent) => void) | undefined): (event: WorkerEvent) => void {
  return (event) => {
    try {
      onEvent?.(event)
    } catch {
      // A broken logger must not break the work.
    }
  }
}
