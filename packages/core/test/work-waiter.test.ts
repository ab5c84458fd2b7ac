import { expect, it } from 'vitest'
import { systemRandom } from '../src/random.js'
import { SqliteDialect } from '../src/db/dialect-sqlite.js'
import type { Driver } from '../src/db/driver.js'
import type { Row, Statement } from '../src/db/statement.js'
import { resolveConfig } from '../src/config/resolve.js'
import { Engine } from '../src/store/engine.js'
import { TestClock } from '../src/testing.js'
import { WorkWaiter } from '../src/worker/work-waiter.js'

/** An engine over a database that has only one thing to say: when the next message is due. */
function engineWhere(nextDueMs: () => number | null): { engine: Engine; clock: TestClock } {
  const clock = new TestClock()
  const answer = (statement: Statement): Row[] =>
    statement.sql.includes('wait_ms') ? [{ wait_ms: nextDueMs() }] : [{ version: 1, compatible_from: 1 }]
  const driver: Driver = {
    name: 'still',
    dialect: new SqliteDialect(),
    capabilities: {
      wake: 'none',
      parallelFlushes: 1,
      oneWriter: true,
      clock: 'host',
      shared: false,
      schemas: false,
    },
    target: 'nowhere',
    execute: (statements) => Promise.resolve(statements.map(answer)),
    transaction: () => Promise.reject(new Error('nothing to do')),
    within: () => undefined,
    classify: () => ({ kind: 'other' }),
    close: () => Promise.resolve(),
  }
  const { config } = resolveConfig({ pollInterval: '1h' })
  const random = { ...systemRandom, fraction: () => 0.5 }
  return { engine: new Engine(driver, config, clock, random), clock }
}

/** Idles until the polls have become rare, and returns how long the next wait takes. */
async function waitOf(nextDueMs: number | null): Promise<number> {
  let due: number | null = null
  const { engine, clock } = engineWhere(() => due)
  const waiter = new WorkWaiter(engine, ['quiet'])
  const wait = async (): Promise<number> => {
    waiter.look()
    const from = clock.monotonic()
    let over = false
    const waiting = waiter.forWork(false, new Promise(() => undefined)).then(() => (over = true))
    while (!over) await clock.advance(1)
    await waiting
    return clock.monotonic() - from
  }
  for (let i = 0; i < 10; i++) await wait()
  due = nextDueMs
  return wait()
}

it('does not put the next look off when work comes without one', async () => {
  const { engine, clock } = engineWhere(() => null)
  const waiter = new WorkWaiter(engine, ['busy'])
  waiter.look()
  const from = clock.monotonic()
  let came = 0
  while (!waiter.timeToLook) {
    await waiter.forWork(false, Promise.resolve(came++))
    await clock.advance(1)
  }
  expect(came).toBeGreaterThan(1)
  expect(clock.monotonic() - from).toBeLessThan(30)
})

it('sleeps ever longer while there is nothing to do', async () => {
  expect(await waitOf(null)).toBeGreaterThan(10_000)
})

it('sleeps until the next message is due', async () => {
  expect(await waitOf(700)).toBeLessThan(800)
  expect(await waitOf(700)).toBeGreaterThanOrEqual(700)
})

it('looks again soon when a message has become due since the last look', async () => {
  expect(await waitOf(0)).toBeLessThan(100)
  expect(await waitOf(-5)).toBeLessThan(100)
})
