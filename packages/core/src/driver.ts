/**
 * For authors of drivers. Not covered by semantic versioning: a minor release may change anything here.
 * @packageDocumentation
 */
export type {
  Capabilities,
  Driver,
  Execute,
  ExecuteNow,
  Failure,
  TransactionPlan,
  WakeChannel,
} from './db/driver.js'
export type { CatalogRow, ColumnType, RowShape, Slot, SqlDialect } from './db/dialect.js'
export { PostgresDialect } from './db/dialect-postgres.js'
export { SqliteDialect } from './db/dialect-sqlite.js'
export type { Row, Statement } from './db/statement.js'
export { systemClock, delay, type Cancel, type Clock } from './clock.js'
export { systemRandom, type Random } from './random.js'
export { withinLimit } from './within-limit.js'
export { WriterQueue } from './writer-queue.js'
export { checkKeys, checkSchema, display } from './names.js'
export {
  AuthenticationError,
  ClosedError,
  ConfigError,
  ConnectionError,
  InvalidArgumentError,
  PgqrsError,
  TimeoutError,
} from './errors.js'
export { configuredDsn } from './config/configured-dsn.js'
export { resolveConfig, type ConfigPlaces, type ResolvedConfig } from './config/resolve.js'
export type { Config, ConfigInput } from './config/settings.js'
export { configKeys } from './config/settings.js'
export { openStore, storeOptionKeys, type StoreOptions } from './api/open-store.js'
export type { Store } from './api/store.js'
