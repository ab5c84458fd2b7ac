import type { Run, StepContext } from '../workflow/run.js'
import { never, type MortalProcess } from './mortal-process.js'

/** Where on its way through a run a process died, in words: `after the body of charge, before its checkpoint`. */
export type CrashPoint = string

/** Counts what a run does and lets its process die at one point. */
export class CrashWatch {
  readonly points: CrashPoint[] = []
  /** How often the body of each step was begun. */
  readonly bodies = new Map<string, number>()
  /** Steps that are transactions. */
  readonly transactions = new Set<string>()
  /** Names of the pauses it came by. */
  readonly pauses = new Set<string>()
  private readonly seen = new Set<CrashPoint>()
  private hasDied = false

  /** @param diesAt where the process dies, once; undefined: nowhere. */
  constructor(private readonly diesAt: CrashPoint | undefined) {}

  get died(): boolean {
    return this.hasDied
  }

  /** The process comes by a point, for the first time or again. Whether it goes on. */
  comesBy(process: MortalProcess, point: CrashPoint): boolean {
    if (!process.alive) return false
    if (!this.seen.has(point)) {
      this.seen.add(point)
      this.points.push(point)
    }
    if (point !== this.diesAt || this.hasDied) return true
    this.hasDied = true
    process.die()
    return false
  }

  /** The body of a step begins. */
  begins(step: string): void {
    this.bodies.set(step, (this.bodies.get(step) ?? 0) + 1)
  }
}

type Method = (...args: unknown[]) => unknown
type Named = Pick<Run<never>, 'step' | 'transaction' | 'map' | 'sleep' | 'sleepUntil' | 'pause'>

/** A run whose boundaries are watched. Everything else about it is as it was. */
export function watchedRun<Tx>(run: Run<Tx>, process: MortalProcess, watch: CrashWatch, scope = ''): Run<Tx> {
  const boundaries = new WatchedBoundaries(run, process, watch, scope)
  const methods: Record<keyof Named, Method> = {
    step: (name, ...rest) => boundaries.step(String(name), rest),
    transaction: (name, ...rest) => boundaries.transaction(String(name), rest),
    map: (name, items, body, ...rest) => boundaries.map(String(name), items, body as Method, rest),
    sleep: (name, ...rest) => boundaries.wait('sleep', String(name), rest),
    sleepUntil: (name, ...rest) => boundaries.wait('sleepUntil', String(name), rest),
    pause: (name, ...rest) => boundaries.wait('pause', String(name), rest),
  }
  return new Proxy(run, {
    get: (target, property) =>
      Object.hasOwn(methods, property)
        ? methods[property as keyof Named]
        : (Reflect.get(target, property, target) as unknown),
  })
}

class WatchedBoundaries<Tx> {
  private readonly counts = new Map<string, number>()

  constructor(
    private readonly run: Run<Tx>,
    private readonly process: MortalProcess,
    private readonly watch: CrashWatch,
    private readonly scope: string,
  ) {}

  /** In a step the process may die before the body, between the end of the body and its record, and after the checkpoint. */
  async step(name: string, rest: unknown[]): Promise<unknown> {
    const { process, watch } = this
    const step = this.fullName(name, rest[0])
    const body = rest.at(-1) as (context: StepContext) => unknown
    const live = { ran: false }
    const watched = async (context: StepContext): Promise<unknown> => {
      live.ran = true
      if (!watch.comesBy(process, `before the body of ${step}`)) return never()
      watch.begins(step)
      const value = await process.ifAlive(this.bodyOf(step, body, context))
      return watch.comesBy(process, `after the body of ${step}, before its checkpoint`) ? value : never()
    }
    const value = await this.call('step', [name, ...rest.slice(0, -1), watched])
    return !live.ran || watch.comesBy(process, `after the checkpoint of ${step}`) ? value : never()
  }

  private async bodyOf(
    step: string,
    body: (context: StepContext) => unknown,
    context: StepContext,
  ): Promise<unknown> {
    try {
      return await body(context)
    } catch (error) {
      this.watch.comesBy(this.process, `after the body of ${step} has thrown, before that is recorded`)
      throw error
    }
  }

  /** In a transaction the process may die before the body, between body and commit, and after the commit. */
  async transaction(name: string, rest: unknown[]): Promise<unknown> {
    const { process, watch } = this
    const step = this.fullName(name, rest[0])
    watch.transactions.add(step)
    const body = rest.at(-1) as (tx: unknown) => unknown
    const live = { ran: false }
    const finished = <T>(value: T): T => {
      watch.comesBy(process, `after the body of ${step}, before its commit`)
      process.mustLive()
      return value
    }
    // As it was: what is synchronous must stay so.
    const watched = (tx: unknown): unknown => {
      live.ran = true
      watch.comesBy(process, `before the body of ${step}`)
      process.mustLive()
      watch.begins(step)
      const value = body(tx)
      return value instanceof Promise ? value.then(finished) : finished(value)
    }
    const value = await this.call('transaction', [name, ...rest.slice(0, -1), watched])
    return !live.ran || watch.comesBy(process, `after the commit of ${step}`) ? value : never()
  }

  /** Each item has boundaries of its own. */
  map(name: string, items: unknown, body: Method, rest: unknown[]): Promise<unknown> {
    const path = this.fullName(name, undefined)
    const watched = (item: unknown, run: Run<Tx>, index: number): unknown =>
      body(item, watchedRun(run, this.process, this.watch, `${path}[${index}]/`), index)
    return this.call('map', [name, items, typeof body === 'function' ? watched : body, ...rest])
  }

  async wait(method: 'sleep' | 'sleepUntil' | 'pause', name: string, rest: unknown[]): Promise<unknown> {
    const { process, watch } = this
    const step = this.fullName(name, undefined)
    if (method === 'pause') watch.pauses.add(step)
    if (!watch.comesBy(process, `before the wait ${step}`)) return never()
    const value = await this.call(method, [name, ...rest])
    return watch.comesBy(process, `after the wait ${step}`) ? value : never()
  }

  private call(method: keyof Named, args: unknown[]): Promise<unknown> {
    const run = this.run as unknown as Record<keyof Named, (...args: unknown[]) => Promise<unknown>>
    return this.process.ifAlive(run[method](...args))
  }

  /** The name of a boundary as the engine makes it. */
  private fullName(name: string, options: unknown): string {
    const key = (options as { key?: string } | undefined)?.key
    if (typeof key === 'string') return `${this.scope}${name}[${key}]`
    const count = (this.counts.get(name) ?? 0) + 1
    this.counts.set(name, count)
    return `${this.scope}${name}${count === 1 ? '' : `#${count}`}`
  }
}
