import { expect } from 'vitest'
import { PgqrsError, type Store } from '@pgqrs/core'
import type { Driver } from '@pgqrs/core/driver'
import type { Bench } from './bench.js'

/** A store whose driver fails at every statement: what comes out of it was found out without the database. */
export function openWithoutDatabase(bench: Bench, options: object = {}): Promise<Store> {
  return bench.open({ ...options, wrapDriver: refusing })
}

function refusing(driver: Driver): Driver {
  return new Proxy(driver, {
    get(target, name) {
      if (name === 'execute' || name === 'transaction') {
        return () => {
          throw new Error(`the database was asked (${name}) before the arguments were checked`)
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

/** What a call throws or rejects with; fails when it does neither. */
export async function errorOf(what: string, call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error(`${what} was accepted`)
}

/** A call that must be refused: how it is named in the output, the call, and what its message must name. */
export type RefusedCall = readonly [what: string, call: () => unknown, names?: string]

/** Makes every call and compares the codes of their errors with the one wanted, so that all failures show at once. */
export async function expectRefused(
  code: string | readonly string[],
  calls: readonly RefusedCall[],
): Promise<void> {
  const wrong: string[] = []
  for (const [what, call, names] of calls) {
    const error = await errorOf(what, call).catch((accepted: unknown) => accepted)
    const found = error instanceof PgqrsError ? error.code : 'no error of pgqrs'
    if (!(typeof code === 'string' ? [code] : code).includes(found))
      wrong.push(`${what}: ${found}: ${String(error)}`)
    else if (names !== undefined && !String(error).includes(names))
      wrong.push(`${what} does not name ${names}: ${String(error)}`)
  }
  expect(wrong).toEqual([])
}
