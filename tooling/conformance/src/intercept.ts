import type { Driver, Execute, Row, Statement } from '@pgqrs/core/driver'
import { interpose } from './interpose.js'

/** What stands between the engine and the driver's `execute`. */
export type Interception = (statements: readonly Statement[], next: Execute) => Promise<Row[][]>

/** For `connect({ wrapDriver })`: every statement of the engine passes through `interception`. */
export function intercept(interception: Interception): (driver: Driver) => Driver {
  return (driver) => interpose(driver, { execute: (statements) => interception(statements, driver.execute) })
}
