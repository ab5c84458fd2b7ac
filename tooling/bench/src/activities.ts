import { setTimeout as delay } from 'node:timers/promises'
import { payloadFor } from './payload.js'
import type { Payload, RunningWorker, Session, Work } from './system.js'

/** What a process has used until now. */
export interface Mark {
  readonly cpuMs: number
  /** Monotonic, in ms, the same clock in all processes of a machine. */
  readonly atMs: number
}

/** How much was done in how long; `count` is all that was done, warm-up included, for the check in the database. */
export interface Done {
  readonly measured: number
  readonly elapsedMs: number
  readonly cpuMs: number
  readonly count: number
}

/** How many handlers had started when. */
export interface Progress {
  readonly started: number
  readonly atMs: number
}

/** Progress is written down every so many starts. */
const progressEvery = 100

/** What handlers and steps do. `gate`: wait for `openGate`. `hang`: never end, in a run from the second step on. */
export type Body = 'return' | 'gate' | 'hang'

/** How long a loop goes on: for `ms`, and not longer than `most` items take. */
export interface Span {
  readonly ms: number
  readonly most: number
  readonly warmUpMs: number
  readonly inFlight: number
}

const clock = (): number => Number(process.hrtime.bigint()) / 1e6

/** What a child process does with the session it has opened. The parent calls these by name. */
export class Activities {
  private next = 0
  private started = 0
  private worker: RunningWorker | undefined
  private openGates: () => void = () => undefined
  private readonly gate = new Promise<void>((resolve) => {
    this.openGates = resolve
  })
  private readonly startedAt = new Map<number, number>()
  private readonly waiting = new Map<number, (at: number) => void>()
  private recordStarts = false
  private reached: { count: number; resolve: () => void } | undefined
  private readonly progress: Progress[] = []

  constructor(private readonly session: Session) {}

  mark(): Mark {
    const { user, system } = process.cpuUsage()
    return { cpuMs: (user + system) / 1000, atMs: clock() }
  }

  /** Enqueues one message per call, so many calls in flight. */
  enqueueOneByOne(span: Span): Promise<Done> {
    return this.loop(span, 1, async (n) => {
      await this.session.enqueue(payloadFor(n))
    })
  }

  /** Enqueues batches. */
  enqueueInBatches(span: Span, batch: number): Promise<Done> {
    return this.loop(span, batch, (n) => this.batch(n, batch))
  }

  /** Enqueues so many messages as fast as the public calls allow, and no longer than `capMs`; returns how many. */
  async fill(count: number, capMs: number): Promise<number> {
    const most = { ms: capMs, most: count, warmUpMs: 0 }
    const done =
      this.session.enqueueMany === undefined
        ? await this.enqueueOneByOne({ ...most, inFlight: 100 })
        : await this.enqueueInBatches({ ...most, inFlight: 2 }, 1000)
    return done.count
  }

  private async batch(n: number, size: number): Promise<void> {
    if (this.session.enqueueMany === undefined) throw new Error('it has no call for many')
    await this.session.enqueueMany(Array.from({ length: size }, (_, i) => payloadFor(n + i)))
  }

  /** Runs from trigger to result, so many in flight. */
  async runs(span: Span, kind: Payload['kind'], steps: number): Promise<Done> {
    return this.loop(span, 1, (n) => this.runOnce(n, kind, steps))
  }

  /** Triggers runs and does not wait for their results. */
  async triggerOnly(count: number, kind: Payload['kind'], steps: number): Promise<void> {
    const once = async (n: number): Promise<void> => {
      await this.trigger(payloadFor(n, kind, steps))
    }
    await this.loop({ ms: Infinity, most: count, warmUpMs: 0, inFlight: 100 }, 1, once)
  }

  private async runOnce(n: number, kind: Payload['kind'], steps: number): Promise<void> {
    const run = await this.trigger(payloadFor(n, kind, steps))
    await run.result()
  }

  private trigger(payload: Payload): ReturnType<NonNullable<Session['trigger']>> {
    if (this.session.trigger === undefined) throw new Error('it has no runs')
    return this.session.trigger(payload)
  }

  /** From trigger to result of one run at a time, in ms each. */
  async runLatencies(samples: number, capMs: number, gapMs: number, steps: number): Promise<number[]> {
    await this.runOnce(this.next++, 'steps', steps)
    return this.latencies(samples, capMs, gapMs, async (n) => {
      const before = clock()
      await this.runOnce(n, 'steps', steps)
      return clock() - before
    })
  }

  /** From enqueue to the start of the handler in this same process, one at a time, in ms each. */
  async startLatencies(samples: number, capMs: number, gapMs: number): Promise<number[]> {
    return this.latencies(samples, capMs, gapMs, async (n) => {
      const before = clock()
      const started = this.startOf(n)
      await this.session.enqueue(payloadFor(n))
      return (await started) - before
    })
  }

  private async latencies(
    samples: number,
    capMs: number,
    gapMs: number,
    once: (n: number) => Promise<number>,
  ): Promise<number[]> {
    const end = clock() + capMs
    const found: number[] = []
    while (found.length < samples && (found.length < 3 || clock() < end)) {
      // Not in step with anybody's poll.
      await delay(gapMs * (0.5 + Math.random()))
      found.push(await once(this.next++))
    }
    return found
  }

  /** Enqueues one message; returns the time before the call. */
  async enqueueNow(n: number): Promise<number> {
    const before = clock()
    await this.session.enqueue(payloadFor(n))
    return before
  }

  /** When the handler of message n started, waiting for it. */
  startOf(n: number): Promise<number> {
    const at = this.startedAt.get(n)
    if (at !== undefined) return Promise.resolve(at)
    return new Promise((resolve) => this.waiting.set(n, resolve))
  }

  /** Starts the session's worker. */
  async startWorker(work: Work, concurrency: number, body: Body, recordStarts: boolean): Promise<void> {
    this.recordStarts = recordStarts
    const onStep = (payload: Payload, step: number): number | Promise<number> => {
      if (body === 'return') return step
      if (body === 'hang' && step === 1) this.countStart()
      if (body === 'gate') this.countStart()
      if (body === 'hang') return step === 0 ? step : new Promise<number>(() => undefined)
      return this.gate.then(() => step)
    }
    const onMessage = (payload: Payload): void | Promise<void> => {
      this.countStart()
      if (this.recordStarts) this.noteStart(payload.n)
      if (body === 'gate') return this.gate
      if (body === 'hang') return new Promise<void>(() => undefined)
    }
    this.worker = await this.session.startWorker({ work, concurrency, onMessage, onStep })
  }

  private countStart(): void {
    this.started++
    if (this.started % progressEvery === 1) this.progress.push({ started: this.started, atMs: clock() })
    if (this.reached !== undefined && this.started >= this.reached.count) this.reached.resolve()
  }

  private noteStart(n: number): void {
    const at = clock()
    this.startedAt.set(n, at)
    this.waiting.get(n)?.(at)
    this.waiting.delete(n)
  }

  /** How many handlers (or waiting steps) have started in this process. */
  startedCount(): number {
    return this.started
  }

  /** How the starts went in this process, about every hundred of them. */
  startsSoFar(): readonly Progress[] {
    return this.progress
  }

  /** Resolves once so many handlers have started in this process, or when the time is over; returns how many have. */
  async untilStarted(count: number, capMs: number): Promise<number> {
    const limit = new AbortController()
    const reached = new Promise<void>((resolve) => {
      this.reached = { count, resolve }
      if (this.started >= count) resolve()
    })
    await Promise.race([reached, delay(capMs, undefined, { signal: limit.signal })])
    limit.abort()
    this.reached = undefined
    return this.started
  }

  openGate(): void {
    this.openGates()
  }

  /** Bytes of this process, after a collection when Node was started with `--expose-gc`. */
  memory(): { rss: number; heapUsed: number } {
    globalThis.gc?.()
    const { rss, heapUsed } = process.memoryUsage()
    return { rss, heapUsed }
  }

  async stopWorker(): Promise<void> {
    await this.worker?.stop()
    this.worker = undefined
  }

  async close(): Promise<void> {
    await this.session.close()
  }

  private async loop(span: Span, step: number, once: (n: number) => Promise<void>): Promise<Done> {
    const first = this.next
    if (span.warmUpMs > 0) await this.during(span.warmUpMs, Infinity, span.inFlight, step, once)
    const before = this.mark()
    const measured = await this.during(span.ms, span.most, span.inFlight, step, once)
    const after = this.mark()
    return {
      measured,
      elapsedMs: after.atMs - before.atMs,
      cpuMs: after.cpuMs - before.cpuMs,
      count: this.next - first,
    }
  }

  private async during(
    ms: number,
    most: number,
    inFlight: number,
    step: number,
    once: (n: number) => Promise<void>,
  ): Promise<number> {
    const end = clock() + ms
    const first = this.next
    const lane = async (): Promise<void> => {
      while (this.next - first < most && clock() < end) {
        const n = this.next
        this.next += step
        await once(n)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
    return this.next - first
  }
}
