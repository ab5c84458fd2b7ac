import type { Store, Worker, WorkerEvent } from '@pgqrs/core'
import type { Database } from '@pgqrs/sqlite'
import type { Arena } from './arena.js'
import { chance } from './chance.js'
import { Fates } from './fate.js'
import { EPOCH_MS, Life } from './life.js'
import type { Surroundings } from './journey.js'
import { Network, type Listener } from './network.js'
import { Patience } from './patience.js'
import { Recorder } from './recorder.js'
import { Requests } from './requests.js'
import type { Sabotage } from './sabotage.js'
import type { Profile, Schedule } from './schedule.js'
import { Timeline } from './timeline.js'
import { FIRST_SPAWNED, flowBy, jobHandler, jobs, type Job } from './workload.js'

/** A process: the life it leads now, and what it has open. */
export interface Process {
  readonly index: number
  life: Life
  store: Store<Database>
  worker: Worker | undefined
}

const RESTART_MS = 200

/** Everything around the engine in one schedule: time, network, database, and the processes. */
export class World implements Surroundings {
  readonly timeline: Timeline
  readonly recorder: Recorder
  readonly patience: Patience
  readonly fates: Fates
  readonly requests: Requests
  readonly listeners = new Set<Listener>()
  readonly processes: Process[] = []
  /** One line for each thing that happened, when it is wanted. */
  readonly trace: string[] | undefined
  private readonly profile: Profile
  private readonly next: () => number
  private jumpedMs = 0
  private lives = 0
  private spawned = 0
  private closing = false

  constructor(
    readonly arena: Arena,
    schedule: Schedule,
    readonly sabotage: Sabotage | undefined,
    options: { readonly trace: boolean },
  ) {
    this.profile = schedule.profile
    this.next = chance(schedule.profile.seed)
    this.timeline = new Timeline(this.next)
    this.recorder = new Recorder(this.timeline, () => this.databaseNow())
    this.requests = new Requests(this.recorder)
    this.fates = new Fates(schedule.profile, schedule.faults, this.next)
    this.patience = new Patience(this.timeline)
    this.trace = options.trace ? [] : undefined
    arena.sweep(this.recorder)
  }

  get traced(): boolean {
    return this.trace !== undefined
  }

  /** The database's clock, ms since the epoch. */
  databaseNow(): number {
    return EPOCH_MS + this.timeline.now + this.jumpedMs
  }

  /** The database's clock is set forward. */
  jump(ms: number): void {
    if (this.profile.clock !== 'database') return
    this.jumpedMs += ms
    // What nobody has touched may be due now.
    this.patience.upset()
  }

  note(life: Life | string, what: string): void {
    if (this.trace === undefined) return
    const name = typeof life === 'string' ? life : life.name
    this.trace.push(`${String(this.timeline.now).padStart(7)} ${name.padEnd(6)} ${what}`)
  }

  /** Starts the processes: one without a worker, the others with. */
  async start(): Promise<void> {
    for (let index = 0; index <= this.profile.workers; index++) {
      const process = { index } as Process
      this.processes.push(process)
      await this.begin(process)
    }
  }

  /** A new life of a process. */
  private async begin(process: Process): Promise<void> {
    const { profile } = this
    const name = `p${process.index}.${++this.lives}`
    const life = new Life(this.timeline, {
      name,
      seed: profile.seed + this.lives * 7919,
      skewMs: this.sabotage?.clientClock === true ? process.index * 3500 : 0,
      clock: this.sabotage?.clientClock === true ? 'host' : profile.clock,
      patience: profile.looks === 'useful' ? this.patience : undefined,
    })
    process.life = life
    process.worker = undefined
    process.store = await this.arena.connect(
      { lease: profile.leaseMs, connectionTimeout: profile.patienceMs },
      {
        clock: life.clock,
        random: life.random,
        wrapDriver: (driver) => new Network(driver, life, this, profile),
      },
    )
    const isWorker = process.index > 0
    this.recorder.add({
      ...this.recorder.seen(life),
      kind: 'mark',
      what: 'process-started',
      target: name,
      detail: isWorker ? 'worker' : 'client',
      worker: isWorker,
    })
    this.note(life, 'starts')
    if (this.sabotage?.atBoot !== undefined) {
      this.arena.db.exec(this.sabotage.atBoot)
      this.recorder.commit(life)
    }
    if (isWorker) this.work(process)
  }

  /** Starts a worker, again and again while the database does not let it. */
  private work(process: Process): void {
    const { life, store } = process
    const hands = { life, recorder: this.recorder, spawn: () => this.spawn(process) }
    const worker = store.worker([jobs.handler(jobHandler(hands)), flowBy(hands)], {
      concurrency: this.profile.concurrency,
      ...(this.traced ? { onEvent: this.noteOf(life) } : {}),
    })
    process.worker = worker
    worker.start().catch((error: unknown) => {
      this.note(life, `worker does not start: ${String(error)}`)
      void life.sleep(RESTART_MS).then(() => {
        if (!this.closing && process.life === life && process.worker === worker) this.work(process)
      })
    })
  }

  private noteOf(life: Life): (event: WorkerEvent) => void {
    return (event) => {
      this.note(
        life,
        `worker: ${event.type} ${'id' in event ? event.id : ''} ${'step' in event ? event.step : ''}`,
      )
    }
  }

  /** A handler enqueues another job. */
  private spawn({ life, store }: Process): Promise<unknown> {
    const id = life.random.id()
    const job: Job = { n: FIRST_SPAWNED + ++this.spawned, act: { do: 'return' } }
    return new Promise((resolve, reject) => {
      this.requests.make(
        life,
        { name: 'enqueue', messages: [{ id, queue: 'jobs', payload: JSON.stringify(job) }] },
        () => store.producer(jobs).enqueue(job, { id }),
        (stands) => ({ ids: [stands] }),
        (outcome, _, error) => {
          if (outcome === 'ok') resolve(undefined)
          else reject(error)
        },
      )
    })
  }

  /** Told of each message that is there because of a sending whose sender had given it up. */
  onUnheard: (id: string) => void = () => undefined

  unheard(id: string): void {
    this.onUnheard(id)
  }

  /** The process dies, and another life of it begins a while later. */
  crash(life: Life): void {
    const process = this.processes.find((one) => one.life === life)
    if (!life.alive) return
    this.note(life, 'dies')
    life.kill()
    for (const listener of this.listeners) if (listener.life === life) this.listeners.delete(listener)
    this.recorder.add({ ...this.recorder.seen(life), kind: 'mark', what: 'process-ended', target: life.name })
    this.timeline.after(RESTART_MS, () => {
      if (process?.life === life && !this.closing) void this.begin(process)
    })
  }

  /** The worker is stopped as an operator would, and another started. */
  async restartWorker(process: Process): Promise<void> {
    const { worker } = process
    if (worker === undefined) return
    await worker.stop({ grace: '1s' })
    if (!this.closing && process.life.alive && process.worker === worker) this.work(process)
  }

  /** No more faults: what is frozen thaws. */
  heal(): void {
    this.fates.heal()
    for (const { life } of this.processes) if (life.isFrozen) life.thaw()
    this.recorder.add({ ...this.recorder.seen('sim'), kind: 'mark', what: 'healed' })
  }

  /** Closes every store; resolves to false when one does not close within so long. */
  async close(withinMs: number): Promise<boolean> {
    this.closing = true
    const closing = new Set(this.processes)
    for (const process of this.processes) {
      if (process.life.alive) void process.store.close().then(() => closing.delete(process))
    }
    // One of them may die of a fault that befell it earlier.
    const over = (): boolean => [...closing].every(({ life }) => !life.alive)
    await this.timeline.run(this.timeline.now + withinMs, over)
    return over()
  }
}
