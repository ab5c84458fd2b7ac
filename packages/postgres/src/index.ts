/**
 * pgqrs on Postgres, through postgres.js.
 * @packageDocumentation
 */
export { connect, type PostgresOptions } from './connect.js'
export type { Store } from '@pgqrs/core/driver'
