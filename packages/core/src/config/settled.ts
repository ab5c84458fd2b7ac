import type { Config, ConfigInput } from './settings.js'

// Registered, so that a driver with another copy of core reads the mark as well.
const mark = Symbol.for('pgqrs.settled')

/**
 * A configuration as options for a driver. They are complete: what is not in them was said nowhere, and the driver's
 * {@link isSettled} keeps it from asking the environment and the default file again, which may belong to something else.
 */
export function settled(config: Config): ConfigInput {
  const options: ConfigInput = {
    ...(config.dsn === undefined ? {} : { dsn: config.dsn }),
    ...(config.schema === undefined ? {} : { schema: config.schema }),
    maxConnections: config.maxConnections,
    connectionTimeout: config.connectionTimeoutMs,
    lease: config.leaseMs,
    batchSize: config.batchSize,
    maxCrashes: config.maxCrashes,
    heartbeatInterval: config.heartbeatMs,
    pollInterval: config.pollMs,
    sqliteWal: config.sqliteWal,
  }
  return Object.assign(options, { [mark]: true })
}

/** Whether the options come from {@link settled}, or were copied from such. */
export function isSettled(options: ConfigInput): boolean {
  return mark in options
}
