import { expect, it } from 'vitest'
import { Batcher, type Answer, type BatcherLimits, type Group, type Operation } from '../src/store/batcher.js'

interface Item {
  readonly key: string
  readonly size?: number
}

function operation(name: string): Operation<Item, string> {
  return { name, keyOf: (item) => item.key, sizeOf: (item) => item.size ?? 1, refusable: true }
}

const write = operation('write')
const other = operation('other')
const end: Operation<Item, string> = { ...operation('end'), refusable: false }

const roomy: BatcherLimits = {
  parallel: 1,
  together: false,
  maxItems: 100,
  maxSize: 1000,
  maxWaitingSize: 10_000,
  sizeOfCall: 0,
}

/** A database that keeps each flush until it is told to answer. */
class FakeDatabase {
  readonly flushes: { readonly groups: string[]; readonly answer: (error?: Error) => void }[] = []

  readonly flush = (groups: readonly Group[]): Promise<Answer<unknown>[][]> =>
    new Promise((resolve, reject) => {
      this.flushes.push({
        groups: groups.map((g) => `${g.operation.name}: ${keysOf(g).join(' ')}`),
        answer: (error) => {
          if (error === undefined)
            resolve(groups.map((g) => keysOf(g).map((key) => ({ row: key, repeated: false }))))
          else reject(error)
        },
      })
    })

  /** What was flushed so far, one text for each flush. */
  get seen(): string[] {
    return this.flushes.map((flush) => flush.groups.join(', '))
  }

  /** Answers the flush of that number, from 0, and lets what follows from it happen. */
  async answer(number: number, error?: Error): Promise<void> {
    this.flushes[number]?.answer(error)
    await settled()
  }
}

function keysOf(group: Group): string[] {
  return (group.items as readonly Item[]).map((item) => item.key)
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The batcher of a store waits for the rest of the turn; here a flush leaves with the microtasks. */
function atOnce(): Promise<void> {
  return Promise.resolve()
}

function batcherOn(database: FakeDatabase, limits: Partial<BatcherLimits> = {}): Batcher {
  return new Batcher(database.flush, { ...roomy, ...limits }, () => false, atOnce)
}

it('lets what the calls of one turn give rise to leave with them', async () => {
  const database = new FakeDatabase()
  const batcher = new Batcher(database.flush, roomy, () => false, settled)
  const calls = [batcher.submit(write, { key: 'a' })]
  // Work that goes on in the microtasks of the same turn.
  for (let i = 0; i < 20; i++) await Promise.resolve()
  calls.push(batcher.submit(write, { key: 'b' }))
  await settled()
  expect(database.seen).toEqual(['write: a b'])
  await database.answer(0)
  await Promise.all(calls)
})

it('lets calls of one tick leave together, and calls made meanwhile in the next flush', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database)
  const first = [batcher.submit(write, { key: 'a' }), batcher.submit(write, { key: 'b' })]
  await settled()
  const second = [batcher.submit(write, { key: 'c' }), batcher.submit(write, { key: 'd' })]
  await settled()
  expect(database.seen).toEqual(['write: a b'])
  await database.answer(0)
  expect((await Promise.all(first)).map((answer) => answer.row)).toEqual(['a', 'b'])
  expect(database.seen).toEqual(['write: a b', 'write: c d'])
  await database.answer(1)
  expect((await Promise.all(second)).map((answer) => answer.row)).toEqual(['c', 'd'])
})

it('does not settle a call before its own flush is answered', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database)
  let done = false
  const call = batcher.submit(write, { key: 'a' }).then(() => (done = true))
  await settled()
  expect(done).toBe(false)
  await database.answer(0)
  await call
  expect(done).toBe(true)
})

it('halves a failing flush until the one bad item is alone', async () => {
  const flushed: string[][] = []
  const bad = new Error('c cannot be written')
  const flush = (groups: readonly Group[]): Promise<Answer<unknown>[][]> => {
    const keys = groups.flatMap(keysOf)
    flushed.push(keys)
    if (keys.includes('c')) return Promise.reject(bad)
    return Promise.resolve(groups.map((g) => keysOf(g).map((key) => ({ row: key, repeated: false }))))
  }
  const batcher = new Batcher(flush, roomy, (error) => error === bad, atOnce)
  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e'].map((key) => batcher.submit(write, { key })),
  )
  expect(outcomes.map((o) => (o.status === 'fulfilled' ? o.value.row : (o.reason as Error).message))).toEqual(
    ['a', 'b', bad.message, 'd', 'e'],
  )
  expect(flushed).toEqual([['a', 'b', 'c', 'd', 'e'], ['a', 'b'], ['c', 'd', 'e'], ['c'], ['d', 'e']])
})

it('fails every item of a flush when the error is about none of them', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database)
  const calls = Promise.allSettled(['a', 'b'].map((key) => batcher.submit(write, { key })))
  await settled()
  await database.answer(0, new Error('gone'))
  expect((await calls).map((o) => o.status)).toEqual(['rejected', 'rejected'])
  expect(database.seen).toEqual(['write: a b'])
})

it.for([true, false])('never puts two items with one key into one flush (together: %s)', async (together) => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { together })
  const calls = ['a', 'b', 'a', 'c', 'a'].map((key) => batcher.submit(write, { key }))
  await settled()
  expect(database.seen).toEqual(['write: a b c'])
  await database.answer(0)
  expect(database.seen).toEqual(['write: a b c', 'write: a'])
  await database.answer(1)
  await database.answer(2)
  expect(database.seen).toEqual(['write: a b c', 'write: a', 'write: a'])
  await Promise.all(calls)
})

it('flushes no more items than the limit at once', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxItems: 2 })
  const calls = ['a', 'b', 'c'].map((key) => batcher.submit(write, { key }))
  await settled()
  await database.answer(0)
  await database.answer(1)
  expect(database.seen).toEqual(['write: a b', 'write: c'])
  await Promise.all(calls)
})

it.for([true, false])(
  'flushes no more characters than the limit, one large item alone (together: %s)',
  async (together) => {
    const database = new FakeDatabase()
    const batcher = batcherOn(database, { maxSize: 10, together })
    const sizes = { a: 6, b: 5, c: 4, d: 30 }
    const calls = Object.entries(sizes).map(([key, size]) => batcher.submit(write, { key, size }))
    await settled()
    await database.answer(0)
    await database.answer(1)
    await database.answer(2)
    expect(database.seen).toEqual(['write: a', 'write: b c', 'write: d'])
    await Promise.all(calls)
  },
)

it('refuses calls beyond what may wait, and takes them again when some have left', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxWaitingSize: 10 })
  const first = batcher.submit(write, { key: 'a', size: 10 })
  await settled()
  const second = batcher.submit(write, { key: 'b', size: 10 })
  await expect(batcher.submit(write, { key: 'c', size: 1 })).rejects.toMatchObject({ code: 'BACK_PRESSURE' })
  await database.answer(0)
  const third = batcher.submit(write, { key: 'd', size: 10 })
  await database.answer(1)
  await database.answer(2)
  await Promise.all([first, second, third])
  expect(database.seen).toEqual(['write: a', 'write: b', 'write: d'])
})

it('never refuses what ends or records work', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxWaitingSize: 10 })
  const calls = [batcher.submit(write, { key: 'a', size: 10 })]
  await expect(batcher.submit(write, { key: 'b' })).rejects.toMatchObject({ code: 'BACK_PRESSURE' })
  calls.push(batcher.submit(end, { key: 'c' }))
  await settled()
  await database.answer(0)
  await database.answer(1)
  await Promise.all(calls)
  expect(database.seen).toEqual(['write: a', 'end: c'])
})

it('counts a call with its item, and from the moment it is made, whatever has to happen first', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxWaitingSize: 10, sizeOfCall: 9 })
  let letGo: () => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const goes = new Promise<void>((resolve) => (letGo = resolve))
  const fails = new Promise<void>((_, reject) => (fail = reject))
  const full = { code: 'BACK_PRESSURE' }
  const failing = batcher.submit(write, { key: 'a' }, undefined, fails)
  await expect(batcher.submit(write, { key: 'b' })).rejects.toMatchObject(full)
  fail(new Error('not to be had'))
  await expect(failing).rejects.toThrow('not to be had')
  const going = batcher.submit(write, { key: 'c' }, undefined, goes)
  await expect(batcher.submit(write, { key: 'd' })).rejects.toMatchObject(full)
  letGo()
  await settled()
  await database.answer(0)
  await going
  expect(database.seen).toEqual(['write: c'])
})

it('takes one item of any size when nothing waits', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxWaitingSize: 10 })
  const call = batcher.submit(write, { key: 'a', size: 1000 })
  await settled()
  await database.answer(0)
  await expect(call).resolves.toEqual({ row: 'a', repeated: false })
})

it('does not send what was aborted before it left, and gives its room back', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxWaitingSize: 10 })
  const sent = batcher.submit(write, { key: 'a' })
  await settled()
  const abort = new AbortController()
  const aborted = batcher.submit(write, { key: 'b', size: 10 }, abort.signal)
  abort.abort(new Error('no more'))
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('no more') })
  await database.answer(0)
  await sent
  const next = batcher.submit(write, { key: 'c', size: 10 })
  await settled()
  await database.answer(1)
  await next
  expect(database.seen).toEqual(['write: a', 'write: c'])
})

it('gives up a call that is aborted while it is under way, and its neighbours not', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database)
  const abort = new AbortController()
  const aborted = batcher.submit(write, { key: 'a' }, abort.signal)
  const neighbour = batcher.submit(write, { key: 'b' })
  await settled()
  abort.abort()
  await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
  await database.answer(0)
  await expect(neighbour).resolves.toMatchObject({ row: 'b' })
})

it('is idle when everything has been answered', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database)
  await batcher.idle()
  const calls = [batcher.submit(write, { key: 'a' })]
  let idle = false
  const waited = batcher.idle().then(() => (idle = true))
  await settled()
  calls.push(batcher.submit(write, { key: 'b' }))
  await database.answer(0)
  expect(idle).toBe(false)
  await database.answer(1)
  await waited
  await Promise.all(calls)
})

it('is idle when all that waited was aborted', async () => {
  const batcher = batcherOn(new FakeDatabase())
  const abort = new AbortController()
  const aborted = expect(batcher.submit(write, { key: 'a' }, abort.signal)).rejects.toMatchObject({
    code: 'ABORTED',
  })
  const waited = batcher.idle()
  abort.abort()
  await aborted
  await waited
})

it('lets operations take turns', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { maxItems: 2 })
  const busy = ['a', 'b', 'c', 'd', 'e'].map((key) => batcher.submit(write, { key }))
  const rare = batcher.submit(other, { key: 'x' })
  await settled()
  for (const number of [0, 1, 2, 3]) await database.answer(number)
  expect(database.seen).toEqual(['write: a b', 'other: x', 'write: c d', 'write: e'])
  await Promise.all([...busy, rare])
})

it('flushes everything together where there is one writer', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { together: true })
  const calls = [
    batcher.submit(write, { key: 'a' }),
    batcher.submit(other, { key: 'x' }),
    batcher.submit(write, { key: 'b' }),
  ]
  await settled()
  expect(database.seen).toEqual(['write: a b, other: x'])
  await database.answer(0)
  expect((await Promise.all(calls)).map((answer) => answer.row)).toEqual(['a', 'x', 'b'])
})

it('has no more flushes in flight than the limit', async () => {
  const database = new FakeDatabase()
  const batcher = batcherOn(database, { parallel: 2, maxItems: 1 })
  const calls = ['a', 'b', 'c', 'd'].map((key) => batcher.submit(write, { key }))
  await settled()
  expect(database.seen).toEqual(['write: a', 'write: b'])
  await database.answer(1)
  expect(database.seen).toEqual(['write: a', 'write: b', 'write: c'])
  await database.answer(0)
  await database.answer(2)
  await database.answer(3)
  await Promise.all(calls)
  expect(database.seen).toHaveLength(4)
})

it('rejects the calls of a flush that cannot even be made', async () => {
  const batcher = new Batcher(
    () => {
      throw new TypeError('no statement')
    },
    roomy,
    () => false,
    atOnce,
  )
  await expect(batcher.submit(write, { key: 'a' })).rejects.toThrow('no statement')
  await batcher.idle()
})
