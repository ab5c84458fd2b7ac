import { expect, it } from 'vitest'
import type { Held } from '../src/worker/held.js'
import { Holding } from '../src/worker/holding.js'
import { TestClock } from '../src/testing.js'

/** Handlers that end when they are told to, and leases that note when they are given back. */
class FakeWorker {
  readonly clock = new TestClock()
  readonly givenBack: string[] = []
  readonly running = new Map<string, { handled: () => void; written: () => void }>()
  mayBegin = true
  toldOfRoom = 0
  readonly holding: Holding

  constructor(slots: number) {
    this.holding = new Holding(slots, this.clock, {
      mayBegin: () => this.mayBegin,
      begin: (held, handled) =>
        new Promise((written) => {
          this.running.set(held.claimed.row.id, { handled, written })
        }),
      onRoom: () => {
        this.toldOfRoom++
      },
    })
  }

  claimed(...ids: string[]): void {
    this.holding.add(ids.map((id) => this.held(id)))
  }

  private held(id: string): Held {
    const release = (): Promise<void> => {
      this.givenBack.push(id)
      return Promise.resolve()
    }
    return { claimed: { row: { id }, lease: { release } } } as unknown as Held
  }

  /** The handler of one is over, and its end is written. */
  async end(id: string): Promise<void> {
    this.running.get(id)?.handled()
    await this.written(id)
  }

  async written(id: string): Promise<void> {
    this.running.get(id)?.written()
    this.running.delete(id)
    await this.clock.settle()
  }

  /** Lets handlers end at this pace, so that as much is claimed ahead as it allows. */
  async atPace(perMs: number): Promise<void> {
    this.holding.measure()
    const ids = Array.from({ length: perMs * 10 }, (_, i) => `pace-${i}`)
    this.claimed(...ids)
    for (const id of ids) await this.end(id)
    await this.clock.advance(10)
    this.holding.measure()
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`)

it('claims no more than there are slots for while handlers take longer than a moment', async () => {
  const worker = new FakeWorker(3)
  expect(worker.holding.room).toBe(3)
  worker.claimed('a', 'b', 'c')
  expect(worker.holding.room).toBe(0)
  await worker.clock.advance(5000)
  await worker.end('a')
  worker.holding.measure()
  expect(worker.holding.room).toBe(1)
})

it('claims ahead what is begun in 20 ms, and begins it as slots become free', async () => {
  const worker = new FakeWorker(2)
  await worker.atPace(5)
  expect(worker.holding.room).toBe(2 + 100)
  worker.claimed('a', 'b', 'c', 'd')
  expect([...worker.running.keys()]).toEqual(['a', 'b'])
  await worker.end('b')
  expect([...worker.running.keys()]).toEqual(['a', 'c'])
  expect(worker.holding.size).toBe(3)
})

it('frees the slot when the handler is over, and holds the message until its end is written', async () => {
  const worker = new FakeWorker(1)
  worker.claimed('a', 'b')
  worker.running.get('a')?.handled()
  expect([...worker.running.keys()]).toEqual(['a', 'b'])
  expect(worker.holding.size).toBe(2)
  await worker.written('a')
  expect(worker.holding.size).toBe(1)
})

it('claims in bulk: nothing while more waits than is begun in 20 ms', async () => {
  const worker = new FakeWorker(1)
  await worker.atPace(1)
  worker.claimed(...numbered(31))
  expect(worker.holding.room).toBe(0)
  for (let i = 0; i < 9; i++) await worker.end(`n${i}`)
  expect(worker.holding.room).toBe(0)
  await worker.end('n9')
  expect(worker.holding.room).toBe(20)
})

it('holds at most two thousand beyond its slots, however slowly ends are written', async () => {
  const worker = new FakeWorker(4)
  await worker.atPace(200)
  expect(worker.holding.room).toBe(2004)
  worker.claimed(...numbered(2004))
  for (let i = 0; i < 2004; i++) worker.running.get(`n${i}`)?.handled()
  expect(worker.holding.size).toBe(2004)
  expect(worker.holding.room).toBe(0)
})

it('says that there is room when an end is written, also long after the handler was over', async () => {
  const worker = new FakeWorker(4)
  worker.claimed('a')
  worker.running.get('a')?.handled()
  expect(worker.toldOfRoom).toBe(1)
  await worker.written('a')
  expect(worker.toldOfRoom).toBe(2)
})

it('gives back what waits for a slot for too long, and keeps what runs', async () => {
  const worker = new FakeWorker(1)
  worker.claimed('a', 'b', 'c')
  expect(worker.holding.patienceMs).toBe(200)
  await worker.clock.advance(199)
  await worker.holding.giveBackLate()
  expect(worker.givenBack).toEqual([])
  await worker.clock.advance(1)
  await worker.holding.giveBackLate()
  expect(worker.givenBack).toEqual(['b', 'c'])
  expect(worker.holding.size).toBe(1)
  expect(worker.holding.patienceMs).toBeUndefined()
})

it('begins nothing while it may not', async () => {
  const worker = new FakeWorker(1)
  worker.claimed('a', 'b')
  worker.mayBegin = false
  await worker.end('a')
  expect(worker.running.size).toBe(0)
  await worker.holding.giveBackWaiting()
  expect(worker.givenBack).toEqual(['b'])
})
