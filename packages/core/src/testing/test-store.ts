import { connect, type ConnectOptions } from '../api/connect.js'
import type { Store } from '../api/store.js'
import type { DriverTransaction } from '../transaction/types.js'
import { TestClock } from './test-clock.js'

/** Options of {@link createTestStore}: any setting, and the clock to use. */
export interface TestStoreOptions extends Omit<
  ConnectOptions,
  'dsn' | 'schema' | 'config' | 'clock' | 'maxConnections' | 'sqliteWal'
> {
  /** Default: one of its own. */
  readonly clock?: TestClock
}

/** A store for one test, and the clock it goes by. */
export interface TestStore<Tx = DriverTransaction> {
  readonly store: Store<Tx>
  readonly clock: TestClock
}

/**
 * A store over a new database in memory, installed, whose time is a {@link TestClock}. The database is gone when the
 * store is closed. It needs `@pgqrs/sqlite` and `better-sqlite3` among the project's packages.
 *
 * ```ts
 * const { store, clock } = await createTestStore()
 * await store.worker([remind]).start()
 * const handle = await store.trigger(remind, { to: 'ada@example.com' })
 * await clock.until(handle.result())
 * await store.close()
 * ```
 * @throws DriverMissingError that names the package to install
 */
export async function createTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const { clock = new TestClock(), ...settings } = options
  const store = await connect({ ...settings, dsn: ':memory:', clock })
  try {
    await store.admin.install()
  } catch (error) {
    await store.close()
    throw error
  }
  return { store, clock }
}
