import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { spawnChild } from '@pgqrs/test-database'
import { expect } from 'vitest'
import { told, type ChildSetup } from './children/start.js'
import type { Row } from './target.js'

/** What a process calls in one turn of the event loop. */
export interface ManyCalls {
  readonly calls: number
  readonly payloadBytes: number
}

/** What became of the calls. */
export interface CallsMade {
  readonly accepted: number
  /** How many there were of each kind; `refused` are those that met a BackPressureError. */
  readonly failures: Readonly<Record<string, number>>
  /** Of the ids of all that were accepted. */
  readonly fingerprint: string
  /** When all had been made and none had left. */
  readonly heapUsed: number
}

const MOST_WAITING = 256 * 1024 * 1024
// A process that holds on to more than twice of what may wait, or to what it has refused, dies of it.
const LARGEST_HEAP_MB = 600

/**
 * 100,000 calls at once, half again as much as may wait: what is beyond is refused, in bounded memory, and the rest is
 * committed once.
 * @param query looks into the database once the process has ended.
 */
export async function expectBounded(
  driver: string,
  dsn: string,
  query: (sql: string) => Promise<Row[]>,
): Promise<void> {
  const load: ManyCalls = { calls: 100_000, payloadBytes: 4000 }
  const setup: ChildSetup & ManyCalls = { driver, dsn, ...load }
  const file = fileURLToPath(new URL('children/many-callers.ts', import.meta.url))
  const nodeFlags = [`--max-old-space-size=${LARGEST_HEAP_MB}`]
  const child = await spawnChild(file, [JSON.stringify(setup)], { nodeFlags })
  const made = told<CallsMade>(await child.waitFor('made ', 90_000))
  expect(await child.exited).toEqual({ code: 0, signal: null })
  const { refused = 0, ...others } = made.failures
  console.log(`${driver}: ${refused} refused, ${Math.round(made.heapUsed / 2 ** 20)} MiB of heap in use`)
  expect(others).toEqual({})
  expect(made.accepted + refused).toBe(load.calls + 1)
  // Up to the cap all were let in, counting at most half again as much for a call as its payload has.
  expect(made.accepted).toBeLessThan(MOST_WAITING / load.payloadBytes)
  expect(made.accepted).toBeGreaterThan(MOST_WAITING / load.payloadBytes / 1.5)
  const rows = await query('select id from pgqrs_messages')
  expect(rows.length).toBe(made.accepted)
  const ids = rows.map((row) => row['id'] as string).sort()
  expect(createHash('sha256').update(ids.join()).digest('hex')).toBe(made.fingerprint)
}
