import type { Cancel } from '../clock.js'
import type { Engine } from '../store/engine.js'

const FIRST_POLL_MS = 20
// Hints make long waits safe; without them a waiting message is found by polling alone.
const HINTED_FACTOR = 5

/**
 * Waits for work: until a hint, a free slot, the time the next message is due, or the next poll. Polls quickly after
 * a look has found work, and ever more slowly, with jitter, while none does.
 */
export class WorkWaiter {
  private pollMs = FIRST_POLL_MS
  private hinted = false
  /** When to look again without a hint, once that is known, by the monotonic clock; work that comes puts it off no more. */
  private next: { readonly at: number; readonly slackMs: number } | undefined
  private wake: (() => void) | undefined
  private stopped = false
  private waitsForRoom = false
  private readonly unsubscribe: () => void
  private readonly queuesJson: string

  constructor(
    private readonly engine: Engine,
    queues: readonly string[],
  ) {
    this.queuesJson = JSON.stringify(queues.map((queue) => ({ queue, lease_ms: 0 })))
    this.unsubscribe = engine.wakeups.on(
      queues.map((queue) => `queue:${queue}` as const),
      () => {
        this.hinted = true
        this.wake?.()
      },
    )
  }

  /** A look for work begins: hints from here on are news. */
  look(): void {
    this.hinted = false
    this.next = undefined
  }

  /** Whether there may be work that only a look finds. */
  get timeToLook(): boolean {
    return this.hinted || (this.next !== undefined && this.engine.clock.monotonic() >= this.next.at)
  }

  /** Waits until there is room for more, or for a change of state. */
  async forRoom(longestMs = this.engine.config.pollMs): Promise<void> {
    this.waitsForRoom = true
    await this.sleep(Math.min(longestMs, this.engine.config.pollMs))
    this.waitsForRoom = false
  }

  /** There is room, or the state has changed. To who has found nothing to claim, room is no news. */
  roomFree(): void {
    if (this.waitsForRoom) this.wake?.()
  }

  /**
   * Waits until it makes sense to look for work again, at most so long.
   * @param come settles when work has come without a look
   */
  async forWork(foundSome: boolean, come: Promise<unknown>, longestMs = Infinity): Promise<void> {
    if (foundSome) this.pollMs = FIRST_POLL_MS
    let hasCome = false
    const over = (): boolean => hasCome || this.hinted
    if (over() || this.stopped) return
    const has = (): void => {
      hasCome = true
      this.wake?.()
    }
    come.then(has, has)
    const { at, slackMs } = (this.next ??= await this.nextLook())
    const ms = at - this.engine.clock.monotonic()
    if (!over() && ms > 0) await this.sleep(Math.min(ms, longestMs), ms > longestMs ? 0 : slackMs)
    if (this.hinted) this.pollMs = FIRST_POLL_MS
  }

  private async nextLook(): Promise<{ at: number; slackMs: number }> {
    const { config, clock, wakeups, random, queries, now } = this.engine
    const longest = wakeups.proved ? config.pollMs * HINTED_FACTOR : config.pollMs
    let ms = Math.min(this.pollMs, longest) * (0.75 + random.fraction() / 2)
    this.pollMs = Math.min(this.pollMs * 2, longest)
    let slackMs = 0
    // Only before a longer sleep is it worth asking when the next one is due.
    if (ms >= FIRST_POLL_MS * 2) {
      const [row] = await this.engine.run(
        queries.claims.nextDue,
        { queues: this.queuesJson, now },
        'look when the next is due',
      )
      slackMs = Math.max(0, (row?.wait_ms ?? Infinity) - ms)
      // One that is due already became so after the last look, or is in somebody's hands for this moment.
      if (row?.wait_ms != null) ms = Math.min(ms, row.wait_ms > 0 ? Math.ceil(row.wait_ms) : FIRST_POLL_MS)
    }
    return { at: clock.monotonic() + ms, slackMs }
  }

  /** Waits after a failure, longer with each, so that a database that comes back is not met by a herd. */
  backOff(failures: number): Promise<void> {
    const ms = Math.min(50 * 2 ** Math.min(failures, 10), 5000)
    return this.sleep(ms * (0.5 + this.engine.random.fraction()))
  }

  /** Ends the present wait and every later one at once. */
  stop(): void {
    this.stopped = true
    this.unsubscribe()
    this.wake?.()
  }

  private sleep(ms: number, slackMs = 0): Promise<void> {
    if (this.stopped) return Promise.resolve()
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined
      this.wake = () => {
        this.wake = undefined
        cancel()
        resolve()
      }
      cancel = this.engine.clock.after(ms, () => this.wake?.(), { slackMs: () => slackMs })
    })
  }
}
