import { systemClock, type Clock } from '../clock.js'
import type { Config } from '../config/settings.js'
import type { Driver } from '../db/driver.js'
import { Engine } from '../store/engine.js'
import { systemRandom, type Random } from '../random.js'
import { Store } from './store.js'

/** What a store can be given besides its configuration. */
export interface StoreOptions {
  /** Time for tests. Default: the database's and the platform's. */
  readonly clock?: Clock
  /** Randomness for tests. Default: the platform's. */
  readonly random?: Random
  /**
   * Whether a local database file that is not there is made (SQLite, libSQL). Default true. With false it is a
   * `ConfigError`, so that a path with a typing mistake is noticed. A server's databases are never made.
   */
  readonly create?: boolean
  /** Puts something between the engine and the database, for tests: to count statements, or to make them fail. */
  readonly wrapDriver?: (driver: Driver) => Driver
}

/** Names of the options of {@link StoreOptions}. */
export const storeOptionKeys: readonly string[] = ['clock', 'random', 'create', 'wrapDriver']

/**
 * Opens a store over a driver. Nothing is sent to the database yet but what the driver sent to connect.
 * @throws whatever the configuration of the driver makes impossible
 */
export function openStore<Tx>(
  driver: Driver<Tx>,
  config: Config,
  options: StoreOptions = {},
): Promise<Store<Tx>> {
  const { clock = systemClock, random = systemRandom } = options
  // What the store does not hold it cannot show: the driver has read the DSN.
  const settings = { ...config, dsn: undefined }
  const used = options.wrapDriver?.(driver) ?? driver
  const engine = new Engine(used, settings, clock, random)
  return Promise.resolve(new Store<Tx>(engine))
}
