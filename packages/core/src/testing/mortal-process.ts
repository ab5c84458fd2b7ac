import type { Cancel, Clock } from '../clock.js'
import type { Driver, Execute, TransactionPlan } from '../db/driver.js'
import type { Statement } from '../db/statement.js'

/** Thrown into a transaction whose process dies: the database rolls back, and nobody hears of it. */
class Died extends Error {}

/**
 * A process that can die at any moment, as after `kill -9`: its timers do not fire any more, and what it waits for of the
 * database never comes.
 */
export class MortalProcess {
  readonly clock: Clock
  private isAlive = true
  private readonly timers = new Set<Cancel>()

  constructor(
    clock: Clock,
    /** Told once, when it dies. */
    private readonly died: () => void,
  ) {
    this.clock = {
      databaseNow: () => clock.databaseNow(),
      wallNow: () => clock.wallNow(),
      monotonic: () => clock.monotonic(),
      settle: () => this.ifAlive(clock.settle()),
      after: (ms, callback, options) => this.after(clock.after.bind(clock), ms, callback, options),
    }
  }

  get alive(): boolean {
    return this.isAlive
  }

  /** Ends the process. */
  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const cancel of this.timers) cancel()
    this.timers.clear()
    this.died()
  }

  /** What a promise gives, to the living alone. */
  async ifAlive<T>(promise: Promise<T>): Promise<T> {
    try {
      const value = await promise
      return this.isAlive ? value : await never()
    } catch (error) {
      if (!this.isAlive) return never()
      throw error
    }
  }

  /** @throws Died in a dead process: for the body of a transaction, which must be rolled back. */
  mustLive(): void {
    if (!this.isAlive) throw new Died('the process has died')
  }

  /**
   * The driver as this process has it. Closing it leaves the database to the others.
   * @param took told of each statement that took effect, before its answer is heard.
   */
  driver<Tx>(inner: Driver<Tx>, took: (statement: Statement) => void): Driver<Tx> {
    const execute: Execute = async (statements) => {
      if (!this.isAlive) return never()
      const rows = await this.ifAlive(inner.execute(statements))
      statements.forEach((statement, at) => {
        // What changed nothing is no place to die.
        if ((rows[at]?.length ?? 0) > 0) took(statement)
      })
      return this.ifAlive(Promise.resolve(rows))
    }
    return {
      name: inner.name,
      dialect: inner.dialect,
      capabilities: { ...inner.capabilities, wake: 'none' },
      target: inner.target,
      execute,
      transaction: <T>(plan: TransactionPlan<Tx, T>) =>
        this.isAlive ? this.ifAlive(inner.transaction(plan)) : never(),
      within: (tx) => inner.within(tx),
      classify: (error) => inner.classify(error),
      close: () => Promise.resolve(),
    }
  }

  private after(
    after: Clock['after'],
    ms: number,
    callback: () => void,
    options: Parameters<Clock['after']>[2],
  ): Cancel {
    if (!this.isAlive) return () => undefined
    const cancel = after(
      ms,
      () => {
        this.timers.delete(stop)
        callback()
      },
      options,
    )
    const stop = (): void => {
      this.timers.delete(stop)
      cancel()
    }
    this.timers.add(stop)
    return stop
  }
}

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined)
}
