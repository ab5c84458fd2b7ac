import type { Driver, Failure } from '@pgqrs/core/driver'

/** For `connect({ wrapDriver })`: the kinds of failure the engine has met, in their order. */
export function failuresSeen(): { kinds: Failure['kind'][]; wrapDriver: (driver: Driver) => Driver } {
  const kinds: Failure['kind'][] = []
  const wrapDriver = (driver: Driver): Driver =>
    new Proxy(driver, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          const answer: unknown = Reflect.apply(value, target, given)
          if (name === 'classify') kinds.push((answer as Failure).kind)
          return answer
        }
      },
    })
  return { kinds, wrapDriver }
}
