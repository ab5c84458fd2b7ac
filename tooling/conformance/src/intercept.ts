import type { Driver, Execute, Row, Statement } from '@pgqrs/core/driver'

/** What stands between the engine and the driver's `execute`. */
export type Interception = (statements: readonly Statement[], next: Execute) => Promise<Row[][]>

/** For `connect({ wrapDriver })`: every statement of the engine passes through `interception`, and the rest is the driver's own. */
export function intercept(interception: Interception): (driver: Driver) => Driver {
  return (driver) =>
    new Proxy(driver, {
      get: (target, name) => {
        if (name === 'execute')
          return (statements: readonly Statement[]) => interception(statements, target.execute)
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
}
