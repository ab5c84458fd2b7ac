import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, TimeoutError } from '@pgqrs/core'
import { createTestStore, TestClock } from '@pgqrs/core/testing'

const reminder = defineWorkflow('reminder', async (run, input: { years: number }) => {
  await run.sleep('long', `${input.years}y`)
  return run.step('remind', () => 'remembered')
})

describe('a test store', () => {
  it('is installed, in memory, and goes by its clock', async () => {
    const { store, clock } = await createTestStore()
    expect(store.target).toBe(':memory:')
    expect((await store.admin.verify()).ok).toBe(true)
    const numbers = defineQueue<number>('numbers')
    await store.producer(numbers).enqueue(7, { delay: '1h' })
    const consumer = store.consumer(numbers)
    expect(await consumer.dequeue()).toEqual([])
    await clock.advance('1h')
    expect((await consumer.dequeue()).map(({ payload }) => payload)).toEqual([7])
    await store.close()
  })

  it('takes a clock and settings', async () => {
    const clock = new TestClock(new Date('2040-05-01'))
    const { store, clock: used } = await createTestStore({ clock, lease: '1m' })
    expect(used).toBe(clock)
    const consumer = store.consumer<string>('letters')
    await store.producer<string>('letters').enqueue('dear')
    const [letter] = await consumer.dequeue()
    expect(letter?.leaseExpiresAt).toEqual(new Date('2040-05-01T00:01:00Z'))
    await store.close()
  })
})

describe('a clock with an idle worker', () => {
  it('goes a year on without each of its polls and heartbeats', async () => {
    let statements = 0
    const { store, clock } = await createTestStore({
      wrapDriver: (driver) => ({
        ...driver,
        dialect: driver.dialect,
        name: driver.name,
        capabilities: driver.capabilities,
        target: driver.target,
        execute: (some) => {
          statements += some.length
          return driver.execute(some)
        },
        transaction: (plan) => driver.transaction(plan),
        within: (tx) => driver.within(tx),
        classify: (error) => driver.classify(error),
        close: () => driver.close(),
      }),
    })
    await store.worker([reminder]).start()
    await clock.advance('1m')
    statements = 0
    await clock.advance('365d')
    expect(statements).toBeLessThan(100)
    await store.close()
  })

  it('stops on the way for what becomes due', async () => {
    const { store, clock } = await createTestStore()
    await store.worker([reminder]).start()
    const soon = await store.trigger(reminder, { years: 1 })
    const late = await store.trigger(reminder, { years: 3 })
    await clock.advance('2y')
    expect([await soon.status(), await late.status()]).toEqual(['success', 'paused'])
    await clock.advance('2y')
    expect(await late.status()).toBe('success')
    await store.close()
  })

  it('keeps a lease alive that is held for a year', async () => {
    const { store, clock } = await createTestStore({ lease: '7d', heartbeatInterval: '2d' })
    const slow = defineQueue<null>('slow')
    let crashes = 0
    const handler = slow.handler(
      async (message) => {
        crashes = message.crashes
        await new Promise<void>((resolve) => clock.after(365 * 86_400_000, resolve))
      },
      { lease: '7d' },
    )
    await store.worker([handler]).start()
    const id = await store.producer(slow).enqueue(null)
    await clock.advance('366d')
    expect((await store.admin.messages.get(id)).status).toBe('success')
    expect(crashes).toBe(0)
    await store.close()
  })
})

describe('until', () => {
  it('jumps to the end of a run that sleeps for years', async () => {
    const { store, clock } = await createTestStore()
    await store.worker([reminder]).start()
    const handle = await store.trigger(reminder, { years: 5 })
    const from = clock.now
    expect(await clock.until(handle.result())).toBe('remembered')
    expect(clock.now.getTime() - from.getTime()).toBeGreaterThanOrEqual(5 * 365 * 86_400_000)
    await store.close()
  })

  it('sees what another store of the same database has finished', async () => {
    const { store, clock } = await createTestStore()
    const handle = await store.trigger(reminder, { years: 1 })
    const result = handle.result()
    await store.worker([reminder]).start()
    expect(await clock.until(result)).toBe('remembered')
    await store.close()
  })

  it('gives up when nothing is left to happen, and at its limit', async () => {
    const { store, clock } = await createTestStore()
    const handle = await store.trigger(reminder, { years: 1 })
    await expect(clock.until(handle.result())).rejects.toThrow(TimeoutError)
    await store.worker([reminder]).start()
    await expect(clock.until(handle.result(), { limit: '30d' })).rejects.toThrow('within the limit')
    await store.close().catch(() => undefined)
  })
})

describe('next', () => {
  it('jumps from one event to the next, and says how far', async () => {
    const clock = new TestClock()
    const fired: string[] = []
    clock.after(500, () => {
      fired.push('first')
      clock.after(250, () => fired.push('second'))
    })
    expect(await clock.next()).toBe(500)
    expect(fired).toEqual(['first'])
    expect(await clock.next()).toBe(250)
    expect(fired).toEqual(['first', 'second'])
    expect(await clock.next()).toBeUndefined()
  })

  it('passes over timers that may be late for as long as they may', async () => {
    const clock = new TestClock()
    const fired: string[] = []
    clock.after(10, () => fired.push('whenever'), { slackMs: () => Infinity })
    clock.after(20, () => fired.push('at 120'), { slackMs: () => 100 })
    expect(await clock.next()).toBe(120)
    expect(fired).toEqual(['whenever', 'at 120'])
  })
})
