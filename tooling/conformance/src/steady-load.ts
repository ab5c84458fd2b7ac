import { fileURLToPath } from 'node:url'
import { spawnChild, type ChildHandle } from '@pgqrs/test-database'
import { expect } from 'vitest'
import { told, type ChildSetup } from './children/start.js'

/** What a process does, half of it before the first look at what it has in use. */
export interface SteadyLoad {
  readonly messages: number
  /** Stores that are opened, used and closed. */
  readonly stores: number
  /** It asks for its connections to be cut (`cut`), and goes on when it gets SIGUSR2. */
  readonly cuts: boolean
  /** For `connect`. */
  readonly options?: object
}

/** What a process has in use at rest. */
export interface InUse {
  readonly heapBytes: number
  /** Sockets, timers and the like, counted by kind. */
  readonly active: Readonly<Record<string, number>>
  readonly listeners: number
  readonly openFiles: number
  readonly warnings: number
  readonly handled: number
}

/** A process at such work on a database. For {@link expectFlat}. */
export function startSteadyLoad(driver: string, dsn: string, load: SteadyLoad): Promise<ChildHandle> {
  const setup: ChildSetup & SteadyLoad = { driver, dsn, ...load }
  const file = fileURLToPath(new URL('children/steady-load.ts', import.meta.url))
  return spawnChild(file, [JSON.stringify(setup)], { nodeFlags: ['--expose-gc'] })
}

const TIME_MS = 120_000
// The pool of connections opens and closes a few, and a timer may be set or not. A leak has hundreds.
const FEW = 8
// What a leak of a few dozen bytes for each message would exceed.
const LITTLE_BYTES = 3 * 1024 * 1024

/**
 * Waits for the end of the load and compares what is in use then with what was in use after half of it.
 * @param cut cuts connections, in each half, until it resolves.
 */
export async function expectFlat(child: ChildHandle, cut?: () => Promise<void>): Promise<void> {
  const half = async (name: string): Promise<InUse> => {
    if (cut !== undefined) {
      await child.waitFor('cut', TIME_MS)
      await cut()
      child.kill('SIGUSR2')
    }
    return told<InUse>(await child.waitFor(`${name} `, TIME_MS))
  }
  const middle = await half('middle')
  const end = await half('end')
  expect(end.handled - middle.handled).toBeGreaterThan(1000)
  expect(end.heapBytes - middle.heapBytes).toBeLessThan(LITTLE_BYTES)
  for (const [kind, n] of Object.entries(end.active)) {
    expect(n, kind).toBeLessThanOrEqual((middle.active[kind] ?? 0) + FEW)
  }
  expect(end.openFiles).toBeLessThanOrEqual(middle.openFiles + FEW)
  expect([end.listeners, end.warnings]).toEqual([middle.listeners, 0])
  expect(await child.exited).toEqual({ code: 0, signal: null })
}
