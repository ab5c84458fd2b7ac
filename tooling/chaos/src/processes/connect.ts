import { PgqrsError, type DriverTransaction, type Store } from '@pgqrs/core'
import { delay, systemClock, type Clock, type Driver } from '@pgqrs/core/driver'
import { LEASE_MS, POLL_MS } from '../load/policies.js'
import type { ProcessSetup } from './setup.js'

/** For how long a call of the load waits for the database. */
export const PATIENCE_MS = 6000

/** The store of a process of the load. */
export async function connectAs(
  setup: ProcessSetup,
  options: { readonly wrapDriver?: (driver: Driver) => Driver; readonly clock?: Clock } = {},
): Promise<Store<DriverTransaction>> {
  const clock = options.clock ?? (setup.clockOffMs === undefined ? undefined : wrongBy(setup.clockOffMs))
  const all = {
    dsn: setup.dsn,
    lease: LEASE_MS,
    pollInterval: POLL_MS,
    connectionTimeout: PATIENCE_MS,
    heartbeatInterval: LEASE_MS / 3,
    ...(setup.maxConnections === undefined ? {} : { maxConnections: setup.maxConnections }),
    ...(options.wrapDriver === undefined ? {} : { wrapDriver: options.wrapDriver }),
    ...(clock === undefined ? {} : { clock }),
  }
  // Loaded when they are needed: a process is started in a moment then.
  switch (setup.store) {
    case 'postgres': {
      const { connect } = await import('@pgqrs/postgres')
      return connect({ ...all, ...(setup.prepare === undefined ? {} : { prepare: setup.prepare }) })
    }
    case 'sqlite':
      return (await import('@pgqrs/sqlite')).connect(all)
    case 'turso':
      return (await import('@pgqrs/turso')).connect(all)
  }
}

/** The same, and the driver underneath. */
export async function connectWithDriver(
  setup: ProcessSetup,
): Promise<{ readonly store: Store<DriverTransaction>; readonly driver: Driver }> {
  let driver: Driver | undefined
  const store = await connectAs(setup, { wrapDriver: (own) => (driver = own) })
  if (driver === undefined) throw new Error('the store was opened without its driver')
  return { store, driver }
}

/** The host's clock with a wall clock that is wrong. */
function wrongBy(offMs: number): Clock {
  return {
    databaseNow: () => null,
    wallNow: () => systemClock.wallNow() + offMs,
    monotonic: () => systemClock.monotonic(),
    after: (ms, callback, options) => systemClock.after(ms, callback, options),
    settle: () => systemClock.settle(),
  }
}

/** Tries until it works or is no longer wanted: the database may be away just now. */
export async function persistently(work: () => Promise<void>, unwanted: () => boolean): Promise<void> {
  while (!unwanted()) {
    try {
      await work()
      return
    } catch (error) {
      if (!(error instanceof PgqrsError)) throw error
      await delay(systemClock, 100)
    }
  }
}
