import type { Driver, ExecuteNow } from '../db/driver.js'
import { toPgqrsError } from './failures.js'

/**
 * How to execute inside a transaction of the caller's that cannot wait; undefined when `tx` is none. What it throws is
 * an error of pgqrs.
 */
export function withinNow(driver: Driver, tx: unknown): ExecuteNow | undefined {
  const execute = driver.withinNow?.(tx)
  if (execute === undefined) return undefined
  return (statements) => {
    try {
      return execute(statements)
    } catch (error) {
      throw toPgqrsError(driver, error, driver.classify(error), 'in a transaction')
    }
  }
}
