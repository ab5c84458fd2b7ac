import type { Cancel } from '../clock.js'
import { hostName } from '../config/host.js'
import type { WorkerStatus } from '../status.js'
import type { Engine } from './engine.js'

/** Which state may follow which; `stopped` is final. The same moves as in the original pgqrs. */
const movesFrom: Readonly<Record<WorkerStatus, readonly WorkerStatus[]>> = {
  ready: ['suspended'],
  polling: ['ready', 'polling'],
  suspended: ['ready', 'polling', 'interrupted'],
  interrupted: ['polling'],
  stopped: ['suspended'],
}

/** States from which a worker may be moved to `to`. */
export function statesBefore(to: WorkerStatus): readonly WorkerStatus[] {
  return movesFrom[to]
}

/** What is registered: a worker, a consumer, or a producer with a name. */
export interface RegistrationOptions {
  readonly name: string
  readonly queues: readonly string[]
  /** Told when somebody else has moved the worker to another state. */
  readonly onStatus?: (status: WorkerStatus) => void
  /** Whether nothing depends on the next heartbeat. Default: nothing does. */
  readonly idle?: () => boolean
  /** Called at each heartbeat, before it is sent. */
  readonly onBeat?: () => Promise<void>
}

/** A row among the workers and the heartbeat that keeps it fresh. */
export class Registration {
  readonly id: string
  private status: WorkerStatus = 'ready'
  private registered: Promise<void> | undefined
  private cancel: Cancel = () => undefined
  private beating: Promise<void> = Promise.resolve()
  private stopped = false

  constructor(
    private readonly engine: Engine,
    private readonly options: RegistrationOptions,
    private readonly beatMs: number,
  ) {
    this.id = engine.random.id()
  }

  /** The state as last heard from the database. */
  get state(): WorkerStatus {
    return this.status
  }

  /** Registers, once, and begins to beat. */
  async ensure(): Promise<void> {
    this.registered ??= this.register().catch((error: unknown) => {
      this.registered = undefined
      throw error
    })
    await this.registered
  }

  private async register(): Promise<void> {
    await this.insert()
    this.schedule()
  }

  /**
   * Somebody has purged the row while this process was frozen or cut off, and did not know that it would come back.
   * What it was told to be, it stays.
   */
  private async registerAgain(): Promise<void> {
    const before = this.status
    if (this.stopped || before === 'interrupted' || before === 'stopped') return
    await this.insert()
    if (before === 'suspended') await this.move('suspended')
    else this.heard('ready')
  }

  private async insert(): Promise<void> {
    const { queries, now } = this.engine
    await this.engine.run(
      queries.workers.register,
      {
        id: this.id,
        name: this.options.name,
        host: hostName(),
        pid: process.pid,
        queues: JSON.stringify(this.options.queues),
        now,
      },
      'register worker',
    )
  }

  private schedule(): void {
    if (this.stopped) return
    this.cancel = this.engine.clock.after(
      this.beatMs,
      () => {
        this.beating = this.beat().finally(() => {
          this.schedule()
        })
      },
      { background: true, slackMs: () => (this.options.idle?.() === false ? 0 : Infinity) },
    )
  }

  /** Shows a sign of life now and takes note of the state somebody else may have set. */
  async beat(): Promise<void> {
    await this.options.onBeat?.()
    try {
      const { queries, now } = this.engine
      const [row] = await this.engine.run(queries.workers.heartbeat, { id: this.id, now }, 'heartbeat')
      if (row === undefined) await this.registerAgain()
      else this.heard(row.status)
    } catch {
      // The database is away or the store closed: the next beat tries again, leases lapse by themselves meanwhile.
    }
  }

  /**
   * Takes note of the state somebody else may have set. It only reads: where every commit is a hint to the others,
   * two workers whose hints made them write would keep each other busy for ever.
   */
  async look(): Promise<void> {
    try {
      const { queries } = this.engine
      const [row] = await this.engine.run(queries.workers.status, { id: this.id }, 'look at the worker')
      // Without a row the next beat registers again.
      if (row !== undefined) this.heard(row.status)
    } catch {
      // The next beat tells.
    }
  }

  private heard(status: WorkerStatus): void {
    if (status === this.status) return
    this.status = status
    this.options.onStatus?.(status)
  }

  /** Moves to another state where the present one allows it; tells whether it did. */
  async move(to: WorkerStatus): Promise<boolean> {
    const { queries, now } = this.engine
    const args = { id: this.id, from: JSON.stringify(statesBefore(to)), to, now }
    const [row] = await this.engine.run(queries.workers.move, args, `move worker to ${to}`)
    if (row !== undefined) this.status = row.status
    return row !== undefined
  }

  /** Stops beating and marks the worker stopped, by way of `suspended` as the states demand. */
  async stop(): Promise<void> {
    this.stopped = true
    this.cancel()
    await this.beating
    try {
      if (this.registered === undefined) return
      await this.registered
      await this.move('suspended')
      await this.move('stopped')
    } catch {
      // The database is away: the row goes stale, which says the same.
    }
  }
}
