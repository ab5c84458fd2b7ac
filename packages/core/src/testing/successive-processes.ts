import { openStore } from '../api/open-store.js'
import type { Runnable, Store } from '../api/store.js'
import type { Driver } from '../db/driver.js'
import { queriesFor } from '../queries/index.js'
import type { CrashWatch } from './crash-points.js'
import { MortalProcess } from './mortal-process.js'
import type { TestClock } from './test-clock.js'

/** The processes that run the workflow: one after the other, each when the one before has died. */
export class SuccessiveProcesses<Tx> {
  /** Rejects when a process cannot begin. */
  readonly trouble: Promise<never>
  private store: Store<Tx> | undefined
  private process: MortalProcess | undefined
  private fail!: (error: unknown) => void

  constructor(
    private readonly opened: Store<Tx>,
    private readonly driver: Driver<Tx>,
    private readonly clock: TestClock,
    private readonly watch: CrashWatch,
    private readonly runnables: (process: MortalProcess) => readonly Runnable<Tx>[],
  ) {
    this.trouble = new Promise((_, reject) => {
      this.fail = reject
    })
    this.trouble.catch(() => undefined)
  }

  /** Begins a process with a worker in it. */
  async begin(): Promise<void> {
    const process = new MortalProcess(this.clock, () => {
      this.begin().catch(this.fail)
    })
    this.process = process
    const { messages } = queriesFor(this.driver.dialect)
    const driver = process.driver(this.driver, ({ sql }) => {
      if (sql === messages.finish.sql) this.watch.comesBy(process, 'after the completion, before its answer')
      if (sql === messages.release.sql) this.watch.comesBy(process, 'after the run was put down')
    })
    this.store = await openStore<Tx>(driver, this.opened['engine'].config, {
      clock: process.clock,
    })
    await this.store.worker(this.runnables(process)).start()
  }

  /** Closes the last one; the dead need no closing. */
  async close(): Promise<void> {
    if (this.process?.alive === true) await this.store?.close()
  }
}
