import type { StoreKind } from '@pgqrs/checker'
import type { Clock, Driver, Statement } from '@pgqrs/core/driver'
import { transitionOf, type Transition } from '../../../conformance/src/crash-points.js'
import { interpose } from '../../../conformance/src/interpose.js'
import type { Kind } from '../load/plan.js'

/** A way to break the engine on purpose, and the run that shows it. Lives in the test tooling alone. */
export interface Sabotage {
  readonly breaks: string
  /** Invariants that must turn red. */
  readonly violates: readonly string[]
  /** The stores on which it can be done; the first one is the default. */
  readonly stores: readonly StoreKind[]
  readonly load: Readonly<Partial<Record<Kind, number>>>
  /** Calls a second. Default: the usual. */
  readonly perSecond?: number
  readonly faults: readonly string[]
  readonly workers: number
  readonly seconds: number
  /** Stands between the engine of a worker and its driver. */
  readonly wrapDriver?: (driver: Driver) => Driver
  /** The clock of the worker in this place. */
  readonly clock?: (role: string) => Clock
  /** Settings of the Postgres server. */
  readonly settings?: Readonly<Record<string, string>>
  /** What the code of workflows is given ignores the keys of steps. */
  readonly sharesKeyedSteps?: boolean
}

/** A driver that executes other SQL than the engine has sent, wherever one of these transitions is concerned. */
export function rewriting(
  transitions: readonly (Transition | undefined)[],
  rewrite: (sql: string) => string,
): (driver: Driver) => Driver {
  const changed = (statement: Statement): Statement =>
    transitions.includes(transitionOf(statement)) ? { ...statement, sql: rewrite(statement.sql) } : statement
  return (driver) =>
    interpose(driver, {
      execute: (statements) => driver.execute(statements.map(changed)),
      transaction: (plan) =>
        driver.transaction({
          ...plan,
          before: changed(plan.before),
          after: (value) => plan.after(value).map(changed),
        }),
    })
}

/** The present by the database's clock, in its SQL. */
export function nowOf({ dialect }: Driver): string {
  return dialect.name === 'postgres' ? 'clock_timestamp()' : "cast(unixepoch('subsec') * 1000 as integer)"
}
