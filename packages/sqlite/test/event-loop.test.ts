import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineQueue, defineWorkflow, type Store } from '@pgqrs/core'
import { connect } from '@pgqrs/sqlite'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'

// So many statements the driver executes before it lets the event loop go on. What is counted here as one turn may
// hold the end of one slice and the whole of the next.
const SLICE = 200
const MOST_IN_A_TURN = 2 * SLICE
// And so many messages are claimed by one of them.
const MOST_AT_ONCE = 500

/** Counts the statements that better-sqlite3 executes, for as long as a test runs. */
class StatementCounter {
  private inTurn = 0
  private total = 0
  /** The most that were executed before the event loop went on. */
  most = 0
  /** The most rows that one of them gave. */
  mostRows = 0

  constructor() {
    const probe = new Database(':memory:')
    const statement = Object.getPrototypeOf(probe.prepare('select 1')) as Record<string, Method>
    probe.close()
    for (const name of ['run', 'all', 'get']) this.countCallsOf(statement, name)
  }

  get executed(): number {
    return this.total
  }

  private countCallsOf(prototype: Record<string, Method>, name: string): void {
    const original = prototype[name]!
    const count = (rows: unknown): void => {
      this.count()
      if (Array.isArray(rows)) this.mostRows = Math.max(this.mostRows, rows.length)
    }
    prototype[name] = function (this: { source: string }, ...args: unknown[]): unknown {
      const rows = original.apply(this, args)
      // The look for commits of others reads no table and costs next to nothing.
      if (!this.source.startsWith('pragma')) count(rows)
      return rows
    }
    onTestFinished(() => {
      prototype[name] = original
    })
  }

  private count(): void {
    this.total++
    if (this.inTurn++ === 0) {
      setImmediate(() => {
        this.inTurn = 0
      })
    }
    this.most = Math.max(this.most, this.inTurn)
  }
}

type Method = (this: { source: string }, ...args: unknown[]) => unknown

const queue = defineQueue<number>('parcels')
const drained = defineQueue<number>('drained')
const workflow = defineWorkflow<number, number>('three_steps', async (run, n) => {
  for (const step of ['a', 'b', 'c']) await run.step(step, () => n)
  return n
})

async function opened(): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'pgqrs-loop-'))
  const store = await connect({ dsn: `sqlite:${join(folder, 'loop.db')}`, pollInterval: '50ms' })
  onTestFinished(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  await store.admin.install()
  return store
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** What a busy application does, each of which is a lot. */
const loads: Record<string, (store: Store) => Promise<unknown>> = {
  'a few large batches': (store) =>
    Promise.all(numbers(3).map(() => store.producer(queue).enqueueMany(numbers(4000)))),
  'many small batches': (store) =>
    Promise.all(numbers(60).map(() => store.producer(queue).enqueueMany(numbers(150)))),
  'many single messages': (store) => Promise.all(numbers(5000).map((n) => store.producer(queue).enqueue(n))),
  'a drained queue': async (store) => {
    let handled = 0
    const worker = store.worker([drained.handler(() => (handled++, undefined))], { concurrency: 2000 })
    await store.producer(drained).enqueueMany(numbers(5000))
    await worker.start()
    await expect.poll(() => handled, { timeout: 60_000 }).toBe(5000)
    await worker.stop()
  },
  'many runs': async (store) => {
    const worker = store.worker([workflow], { concurrency: 300 })
    await worker.start()
    const handles = await Promise.all(numbers(300).map((n) => store.trigger(workflow, n)))
    const results = await Promise.all(handles.map((handle) => handle.result({ timeout: '60s' })))
    expect(results).toEqual(numbers(300))
    await worker.stop()
  },
  'many questions': async (store) => {
    const id = await store.producer(queue).enqueue(1)
    await Promise.all(numbers(3000).map(() => store.admin.messages.get(id)))
  },
}

/** Looks at the event loop every ms. Returns how to stop, and what the longest time between two looks was, in words. */
function sampleBlocks(): () => string {
  const most = { wallMs: 0, cpuMs: 0 }
  let cpu = process.cpuUsage()
  let at = performance.now()
  const look = (): void => {
    const { user, system } = process.cpuUsage(cpu)
    most.cpuMs = Math.max(most.cpuMs, (user + system) / 1000)
    most.wallMs = Math.max(most.wallMs, performance.now() - at)
    cpu = process.cpuUsage()
    at = performance.now()
  }
  const timer = setInterval(look, 1)
  return () => {
    look()
    clearInterval(timer)
    return `${most.wallMs.toFixed(0)} ms, of which at most ${most.cpuMs.toFixed(0)} ms were this process's`
  }
}

async function expectBreathing(work: (store: Store) => Promise<unknown>): Promise<void> {
  const store = await opened()
  const counter = new StatementCounter()
  const blocks = sampleBlocks()
  await work(store)
  console.log(
    `${counter.executed} statements, at most ${counter.most} in a turn; the longest turn of the event loop took ${blocks()}`,
  )
  expect(counter.executed).toBeGreaterThan(1000)
  expect(counter.most).toBeLessThanOrEqual(MOST_IN_A_TURN)
  expect(counter.mostRows).toBeLessThanOrEqual(MOST_AT_ONCE)
}

it.for(Object.keys(loads))('lets the event loop go on in between: %s', { timeout: 90_000 }, async (name) => {
  await expectBreathing(loads[name]!)
})

it('lets the event loop go on in between: all of it at once', { timeout: 120_000 }, () =>
  expectBreathing((store) => Promise.all(Object.values(loads).map((work) => work(store)))),
)
