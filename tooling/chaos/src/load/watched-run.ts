import type { BoundaryPassed, HistoryWriter, ListOperation } from '@pgqrs/checker'
import type { DriverTransaction, Duration, Resumed, Run, StepContext, StepOptions } from '@pgqrs/core'
import { mono } from '../processes/setup.js'
import type { Bodies } from './bodies.js'

/** One pass of a run, and what its surroundings want to hear of it. */
export interface Pass {
  readonly run: Run<DriverTransaction>
  readonly lease: string
  readonly history: HistoryWriter
  readonly bodies: Bodies
  /** Sabotage: steps of one name side by side are one step, whatever their keys. */
  readonly sharesKeyedSteps: boolean
  /** Steps and transactions come by here inside their bodies. */
  readonly reached: (point: 'in-step-body' | 'in-transaction-body') => void
}

/** A run whose boundaries and bodies are noted in the history. */
export class WatchedRun {
  private index = 0
  private readonly inFlight = new Map<string, Promise<unknown>>()
  /** The last boundary whose result the code of this scope has got. */
  private last: string | undefined

  constructor(
    private readonly pass: Pass,
    private readonly scope = '',
    private readonly run: Run<DriverTransaction> = pass.run,
    before?: string,
  ) {
    this.last = before
  }

  get id(): string {
    return this.run.id
  }

  step<T>(
    name: string,
    options: StepOptions,
    body: (context: StepContext, path: string) => T | Promise<T>,
  ): Promise<T> {
    const path = this.path(name, options.key)
    const after = this.afterLast()
    return this.passing(path, 'step', () =>
      this.shared(name, options.key, () =>
        this.run.step(name, options, (context) => {
          const { attempt } = context
          return this.pass.bodies.around(this.of('step', path), { attempt, ...after }, () => {
            this.pass.reached('in-step-body')
            return body(context, path)
          })
        }),
      ),
    )
  }

  private shared<T>(name: string, key: string | undefined, step: () => Promise<T>): Promise<T> {
    if (!this.pass.sharesKeyedSteps || key === undefined) return step()
    const flying = (this.inFlight.get(name) as Promise<T> | undefined) ?? step()
    this.inFlight.set(name, flying)
    return flying
  }

  transaction<T>(
    name: string,
    options: { readonly key?: string },
    body: (tx: DriverTransaction, path: string, lists: ListOperation[]) => T | Promise<T>,
  ): Promise<T> {
    const path = this.path(name, options.key)
    const after = this.afterLast()
    let attempt = 0
    return this.passing(path, 'transaction', () =>
      this.run.transaction(name, options, (tx) => {
        const lists: ListOperation[] = []
        const beginning = { attempt: ++attempt, ...after }
        return this.pass.bodies.around(
          this.of('transaction', path),
          beginning,
          () => body(tx, path, lists),
          lists,
        )
      }),
    )
  }

  map<Item, T>(
    name: string,
    items: readonly Item[],
    body: (item: Item, run: WatchedRun, index: number) => Promise<T>,
  ): Promise<T[]> {
    const path = this.path(name)
    return this.run.map(name, items, (item, run, index) =>
      body(item, new WatchedRun(this.pass, `${path}[${index}]`, run, this.last), index),
    )
  }

  async sleep(name: string, ms: number): Promise<void> {
    const sleep = { reachedMono: mono(), ms }
    await this.passing(this.path(name), 'sleep', () => this.run.sleep(name, ms), { sleep })
  }

  pause<T>(name: string, timeout: Duration): Promise<Resumed<T>> {
    // What the code got is the signal's payload; nothing when the time was over.
    const shown = (resumed: Resumed<T>): unknown => (resumed.resumed ? resumed.value : undefined)
    return this.passing(this.path(name), 'pause', () => this.run.pause<T>(name, { timeout }), { shown })
  }

  private afterLast(): { after?: string } {
    return this.last === undefined ? {} : { after: this.last }
  }

  private path(name: string, key?: string): string {
    const own = key === undefined ? name : `${name}[${key}]`
    return this.scope === '' ? own : `${this.scope}/${own}`
  }

  private of(
    of: 'step' | 'transaction',
    step: string,
  ): { of: 'step' | 'transaction'; id: string; step: string; lease: string } {
    return { of, id: this.id, step, lease: this.pass.lease }
  }

  private async passing<T>(
    step: string,
    of: BoundaryPassed['of'],
    pass: () => Promise<T>,
    { shown, ...more }: Pick<BoundaryPassed, 'sleep'> & { readonly shown?: (value: T) => unknown } = {},
  ): Promise<T> {
    const { history, lease } = this.pass
    const { id, scope } = this
    const at = { kind: 'boundary', id, lease, step, scope, index: this.index++, of, ...more } as const
    try {
      const value = await pass()
      if (of === 'step' || of === 'transaction') this.last = step
      const got = shown === undefined ? value : shown(value)
      history.append({ ...at, how: 'returned', ...(got === undefined ? {} : { value: JSON.stringify(got) }) })
      return value
    } catch (error) {
      history.append({ ...at, how: 'threw' })
      throw error
    }
  }
}
