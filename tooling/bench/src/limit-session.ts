import type { LimitRow, LimitTables } from './limit.js'
import type { Payload, RunningWorker, Session, StartedRun, Work, WorkerPlan } from './system.js'

/** How many rows a statement of the worker takes. */
const claimSize = 1000

interface Waiting {
  readonly row: LimitRow
  readonly work: Work
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The least that can stand between the scenarios and the statements. */
export class LimitSession implements Session {
  private readonly waiting: Waiting[] = []
  private flushing = false
  private working: Promise<void> = Promise.resolve()
  private stopped = false
  private wake: () => void = () => undefined
  private readonly results = new Map<string, () => void>()

  constructor(private readonly tables: LimitTables) {}

  enqueue(payload: Payload): Promise<void> {
    return this.put(rowOf(payload), 'messages')
  }

  enqueueMany(payloads: readonly Payload[]): Promise<void> {
    return this.tables.insert(payloads.map(rowOf), 'messages')
  }

  async trigger(payload: Payload): Promise<StartedRun> {
    const row = rowOf(payload)
    const finished = new Promise<void>((resolve) => this.results.set(row.id, resolve))
    await this.put(row, 'runs')
    this.wake()
    return { result: () => finished }
  }

  async startWorker(plan: WorkerPlan): Promise<RunningWorker> {
    this.working = plan.work === 'runs' ? this.workRuns(plan) : this.workMessages(plan)
    this.working.catch(() => undefined)
    return { stop: () => this.stop() }
  }

  async close(): Promise<void> {
    await this.stop()
    await this.tables.close()
  }

  private async stop(): Promise<void> {
    this.stopped = true
    this.wake()
    await this.working
  }

  /** What is put while a statement is on its way goes with the next one. */
  private put(row: LimitRow, work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ row, work, resolve, reject })
      if (this.flushing) return
      this.flushing = true
      setImmediate(() => void this.flush())
    })
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0)
      try {
        await this.tables.insert(
          batch.map((item) => item.row),
          batch[0]?.work ?? 'messages',
        )
        for (const item of batch) item.resolve()
      } catch (error) {
        for (const item of batch) item.reject(error)
      }
      // Those who were waiting put their next one now.
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.flushing = false
  }

  private async workMessages(plan: WorkerPlan): Promise<void> {
    let finishing: Promise<void> = Promise.resolve()
    while (!this.stopped) {
      const rows = await this.tables.claim(claimSize, 'messages')
      if (rows.length === 0) {
        await this.untilWoken()
        continue
      }
      for (const row of rows) void plan.onMessage(JSON.parse(row.payload) as Payload)
      await finishing
      finishing = this.tables.remove(rows)
      // On SQLite nothing here waits for anything, and the process has to hear its parent.
      await new Promise((resolve) => setImmediate(resolve))
    }
    await finishing
  }

  private async workRuns(plan: WorkerPlan): Promise<void> {
    while (!this.stopped) {
      const rows = await this.tables.claim(plan.concurrency, 'runs')
      if (rows.length === 0) {
        await this.untilWoken()
        continue
      }
      const inputs = rows.map((row) => JSON.parse(row.payload) as Payload)
      for (let step = 0; step < (inputs[0]?.steps ?? 0); step++) {
        for (const input of inputs) await plan.onStep(input, step)
        await this.tables.checkpoint(rows, step)
      }
      await this.tables.finish(rows)
      for (const { id } of rows) {
        this.results.get(id)?.()
        this.results.delete(id)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  private async untilWoken(): Promise<void> {
    if (this.stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 20)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

let made = 0
const first = Date.now()

/** Ids rise, as UUIDv7 does: a tree of random ones would be the slower one. */
function rowOf(payload: Payload): LimitRow {
  const time = first.toString(16).padStart(12, '0')
  const counter = (made++).toString(16).padStart(12, '0')
  const id = `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${counter}`
  return { id, payload: JSON.stringify(payload) }
}
