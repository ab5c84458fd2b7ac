import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HistoryWriter } from '@pgqrs/checker'
import type { CrashPoint } from '../../../conformance/src/crash-points.js'
import type { ProcessSetup } from './setup.js'

/** What the nemesis has a process do to itself, because nobody else could do it at just that moment. */
export type Order =
  | { readonly do: 'die'; readonly at: CrashPoint }
  | { readonly do: 'freeze'; readonly at: CrashPoint }
  | { readonly do: 'block'; readonly ms: number }
  /** Takes back what has not been carried out. */
  | { readonly do: 'nothing' }

/** Where a process looks for its order when it gets SIGUSR2. */
export function orderFile(folder: string, name: string): string {
  return join(folder, `order-${name}.json`)
}

/** In a process of the load: takes orders, and carries them out where it comes by their crash point. */
export class Orders {
  private waiting: Extract<Order, { at: CrashPoint }> | undefined

  constructor(
    private readonly setup: ProcessSetup,
    private readonly history: HistoryWriter,
  ) {
    process.on('SIGUSR2', () => {
      this.take(JSON.parse(readFileSync(orderFile(setup.folder, setup.name), 'utf8')) as Order)
    })
  }

  private take(order: Order): void {
    this.waiting = order.do === 'die' || order.do === 'freeze' ? order : undefined
    if (order.do === 'block') this.block(order.ms)
  }

  /** To be called by whoever comes by a crash point. */
  readonly reached = (here: CrashPoint): void => {
    if (this.waiting?.at !== here) return
    const { do: act } = this.waiting
    this.waiting = undefined
    this.note(`${act} at ${here}`)
    process.kill(process.pid, act === 'die' ? 'SIGKILL' : 'SIGSTOP')
  }

  private block(ms: number): void {
    this.note(`block for ${ms} ms`)
    const until = performance.now() + ms
    while (performance.now() < until);
  }

  private note(detail: string): void {
    this.history.append({ kind: 'mark', what: 'fault', detail, target: this.setup.name })
  }
}
