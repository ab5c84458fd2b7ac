import type { Store } from '@pgqrs/core'
import { openStore, resolveConfig } from '@pgqrs/core/driver'
import { connect, type PostgresOptions } from '@pgqrs/postgres'
import type { TransactionSql } from 'postgres'
import { onTestFinished } from 'vitest'
import type { DriverSettings } from '../src/driver.js'
import { driverFor } from './database.js'

/** A store that is closed when the test ends. It polls often, so that no test waits for a poll. */
export async function open(dsn: string, options: PostgresOptions = {}): Promise<Store<TransactionSql>> {
  const store = await connect({ dsn, pollInterval: '50ms', ...options })
  onTestFinished(() => store.close())
  return store
}

/** The same over a driver with other settings. */
export async function openOver(
  dsn: string,
  settings: Partial<DriverSettings>,
  options: PostgresOptions = {},
): Promise<Store<TransactionSql>> {
  const { config } = resolveConfig({ pollInterval: '50ms', ...options })
  const store = await openStore(driverFor(dsn, settings), config, options)
  onTestFinished(() => store.close())
  return store
}
