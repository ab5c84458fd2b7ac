import type { Cancel, Clock } from '../clock.js'
import type { Driver } from '../db/driver.js'

/** What a hint is about. `queue:` new work; `done:` something finished; `cancel:` somebody asked to cancel. */
export type Topic = `queue:${string}` | `done:${string}` | `cancel:${string}` | 'workers'

// Long enough to gather the hints of a burst, short enough not to be felt. The first hint of a burst does not wait.
const GATHER_MS = 10

/**
 * Hints that something may have changed: directly within this process, and through the driver to others. All of them
 * may be lost; whoever waits also polls.
 */
export class Wakeups {
  private readonly listeners = new Map<string, Set<() => void>>()
  private readonly gathered = new Set<string>()
  private gathering = false
  private stopGathering: Cancel = () => undefined
  private sending: Promise<void> = Promise.resolve()
  private listening: Promise<(() => Promise<void>) | undefined> | undefined
  private provedListeners = new Set<() => void>()
  private works = false
  private closed = false

  constructor(
    private readonly driver: Driver,
    private readonly clock: Clock,
  ) {}

  /** Hints from other processes are known to arrive. */
  get proved(): boolean {
    return this.works
  }

  /** Calls back on each hint about one of the topics, until the returned function is called. */
  on(topics: readonly Topic[], callback: () => void): () => void {
    for (const topic of topics) {
      const set = this.listeners.get(topic)
      if (set === undefined) this.listeners.set(topic, new Set([callback]))
      else set.add(callback)
    }
    return () => {
      for (const topic of topics) {
        const set = this.listeners.get(topic)
        set?.delete(callback)
        if (set?.size === 0) this.listeners.delete(topic)
      }
    }
  }

  /** Begins to listen for hints of other processes; resolves when it is known whether they arrive. */
  async listen(): Promise<void> {
    const channel = this.driver.wake
    if (channel === undefined || this.closed) return
    this.listening ??= channel
      .listen(
        (topics) => {
          this.deliver(topics)
        },
        (works) => {
          this.works = works
          for (const callback of this.provedListeners) callback()
        },
      )
      // A channel that cannot be had leaves polling, which is the truth anyway.
      .catch(() => undefined)
    await this.listening
  }

  /** Calls back when {@link proved} may have changed. */
  onProved(callback: () => void): () => void {
    this.provedListeners.add(callback)
    return () => this.provedListeners.delete(callback)
  }

  /** Gives a hint, here at once and to other processes after a short gathering. Call it after the commit. */
  hint(topics: readonly Topic[]): void {
    this.deliver(topics)
    this.hintOthers(topics)
  }

  /** Gives a hint to other processes alone: here it is known already. */
  hintOthers(topics: readonly Topic[]): void {
    if (this.driver.capabilities.wake !== 'push' || this.closed) return
    for (const topic of topics) this.gathered.add(topic)
    if (!this.gathering) this.send()
  }

  private send(): void {
    if (this.gathered.size === 0) {
      this.gathering = false
      return
    }
    this.gathering = true
    const topics = [...this.gathered]
    this.gathered.clear()
    this.sending = (this.driver.wake?.notify(topics) ?? Promise.resolve()).catch(() => undefined)
    this.stopGathering = this.clock.after(
      GATHER_MS,
      () => {
        this.send()
      },
      { background: true },
    )
  }

  private deliver(topics: readonly string[]): void {
    const [only] = topics
    // Most hints are about one thing, and many about something nobody here waits for.
    if (topics.length === 1 && only !== undefined && only !== '*') {
      for (const callback of [...(this.listeners.get(only) ?? [])]) callback()
      return
    }
    const everything = topics.includes('*')
    const callbacks = new Set<() => void>()
    for (const topic of everything ? this.listeners.keys() : topics) {
      for (const callback of this.listeners.get(topic) ?? []) callbacks.add(callback)
    }
    for (const callback of callbacks) callback()
  }

  /** Stops listening and sends what was gathered. */
  async close(): Promise<void> {
    this.closed = true
    this.stopGathering()
    await this.sending
    if (this.gathered.size > 0) {
      const topics = [...this.gathered]
      this.gathered.clear()
      await this.driver.wake?.notify(topics).catch(() => undefined)
    }
    const stop = await this.listening
    await stop?.()
    this.listeners.clear()
    this.provedListeners.clear()
  }
}
