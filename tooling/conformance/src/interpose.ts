import type { Driver } from '@pgqrs/core/driver'

/** What may stand in the place of a driver's own. */
export type Interposed = Partial<Pick<Driver, 'execute' | 'transaction' | 'classify'>>

/** The driver with some of its parts replaced; everything else is its own. */
export function interpose(driver: Driver, parts: Interposed): Driver {
  return new Proxy(driver, {
    get: (target, name) => {
      if (Object.hasOwn(parts, name)) return parts[name as keyof Interposed]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
