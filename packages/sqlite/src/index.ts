/**
 * pgqrs on SQLite, through better-sqlite3.
 * @packageDocumentation
 */
export { connect, type SqliteOptions } from './connect.js'
export type { Database } from './driver.js'
export type { Store } from '@pgqrs/core/driver'
