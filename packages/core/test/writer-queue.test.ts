import { expect, it } from 'vitest'
import { WriterQueue } from '../src/writer-queue.js'

/** A piece of work that ends when it is told to. */
function work(): { readonly done: Promise<void>; readonly end: () => void } {
  let end!: () => void
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { done, end }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('lets one through at a time, in the order of asking', async () => {
  const queue = new WriterQueue()
  const begun: string[] = []
  const first = work()
  const second = work()
  const one = queue.turn(() => {
    begun.push('first')
    return first.done
  })
  const two = queue.turn(() => {
    begun.push('second')
    return second.done
  })
  const three = queue.turn(() => begun.push('third'))
  await settled()
  expect(begun).toEqual(['first'])
  first.end()
  await one
  await settled()
  expect(begun).toEqual(['first', 'second'])
  second.end()
  await Promise.all([two, three])
  expect(begun).toEqual(['first', 'second', 'third'])
})

it('gives each what its own work returns or throws, and goes on after a failure', async () => {
  const queue = new WriterQueue()
  const results = await Promise.allSettled([
    queue.turn(() => 1),
    queue.turn(() => Promise.reject(new Error('refused'))),
    queue.turn(() => {
      throw new Error('thrown')
    }),
    queue.turn(() => Promise.resolve(4)),
  ])
  expect(results).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: new Error('refused') },
    { status: 'rejected', reason: new Error('thrown') },
    { status: 'fulfilled', value: 4 },
  ])
})

it('is idle again when the last who asked has what it asked for', async () => {
  const queue = new WriterQueue()
  expect(queue.idle).toBe(true)
  const first = work()
  const one = queue.turn(() => first.done)
  const failing = queue.turn(() => Promise.reject(new Error('refused')))
  expect(queue.idle).toBe(false)
  first.end()
  await one
  expect(queue.idle).toBe(false)
  await expect(failing).rejects.toThrow('refused')
  expect(queue.idle).toBe(true)
})

it('is drained when all who asked so far are done, also in vain', async () => {
  const queue = new WriterQueue()
  await queue.drained()
  const first = work()
  const one = queue.turn(() => first.done)
  const failing = queue.turn(() => Promise.reject(new Error('refused')))
  let drained = false
  const draining = queue.drained().then(() => {
    drained = true
  })
  await settled()
  expect(drained).toBe(false)
  first.end()
  await one
  await expect(failing).rejects.toThrow('refused')
  await draining
  expect(queue.idle).toBe(true)
})
