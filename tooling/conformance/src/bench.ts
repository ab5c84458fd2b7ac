import { afterEach, beforeEach } from 'vitest'
import type { DriverTransaction, Store } from '@pgqrs/core'
import type { Target, TestDatabase } from './target.js'

/** A fresh, installed database for each test, and stores on it that are closed afterwards. */
export class Bench {
  private database: TestDatabase | undefined
  private stores: Store<DriverTransaction>[] = []

  constructor(
    readonly target: Target,
    private readonly options: { readonly installed: boolean },
  ) {}

  /** The database of the running test. */
  get db(): TestDatabase {
    if (this.database === undefined) throw new Error('there is a database only while a test runs')
    return this.database
  }

  /** Opens another store on the database of the running test. */
  async open(options: object = {}): Promise<Store<DriverTransaction>> {
    const store = await this.db.connect({ pollInterval: '50ms', ...options })
    this.stores.push(store)
    return store
  }

  /** @internal */
  async begin(): Promise<void> {
    this.database = await this.target.create()
    await this.database.query('create table effects (name text not null)')
    if (!this.options.installed) return
    const store = await this.open()
    await store.admin.install()
  }

  /** @internal */
  async end(): Promise<void> {
    await Promise.allSettled(this.stores.splice(0).map((store) => store.close()))
    await this.database?.drop()
    this.database = undefined
  }
}

/** Gives each test of the surrounding `describe` a database of its own. */
export function useBench(
  target: Target,
  options: { readonly installed: boolean } = { installed: true },
): Bench {
  const bench = new Bench(target, options)
  beforeEach(() => bench.begin())
  afterEach(() => bench.end())
  return bench
}
