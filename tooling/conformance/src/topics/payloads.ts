import assert from 'node:assert/strict'
import { describe, expect, it } from 'vitest'
import { defineQueue, defineWorkflow, PayloadError, SerializationError } from '@pgqrs/core'
import { useBench } from '../bench.js'
import { carried, nested, refused } from '../payload-table.js'
import type { Target } from '../target.js'
import { errorOf } from '../untouched-database.js'

/** Payloads come back exactly as they were, or are refused with the place in them: the same on every database. */
export function payloads(target: Target): void {
  describe('payloads', () => {
    const bench = useBench(target)
    const queue = defineQueue('payloads')

    it('brings back exactly what was enqueued, class, order of keys and all', async () => {
      const store = await bench.open()
      const ids = await store.producer(queue).enqueueMany(carried.map(([, value]) => value))
      const messages = await store.consumer(queue).dequeue({ limit: 1000 })
      for (const [i, [name, value]] of carried.entries()) {
        const message = messages.find(({ id }) => id === ids[i])
        assert.deepEqual(message?.payload, value, name)
        assert.deepEqual(keysOf(message?.payload), keysOf(value), `${name}: order of keys`)
      }
      expect(Object.keys(Object.prototype)).toEqual([])
    })

    it('brings back an invalid Date as one', async () => {
      // Apart from the table because assert.deepEqual of Node 20 takes two of them for different.
      const store = await bench.open()
      await store.producer(queue).enqueue({ at: new Date(Number.NaN) })
      const [message] = await store.consumer(queue).dequeue()
      expect(message?.payload).toStrictEqual({ at: new Date(Number.NaN) })
    })

    it('brings back an output as it brings back a payload', async () => {
      const store = await bench.open()
      await store.producer(queue).enqueueMany(carried.map((_, i) => i))
      const messages = await store.consumer(queue).dequeue({ limit: 1000 })
      await Promise.all(messages.map((message) => message.archive(carried[message.payload as number]?.[1])))
      for (const message of messages) {
        const [name, value] = carried[message.payload as number]!
        assert.deepEqual((await store.admin.messages.get(message.id)).output, value, name)
      }
    })

    it('hands a workflow its input, and its caller the result, as they were', async () => {
      const store = await bench.open()
      const echo = defineWorkflow('echo', (_run, input: unknown) => Promise.resolve(input))
      const value = Object.fromEntries(carried)
      const worker = store.worker([echo])
      await worker.start()
      const handle = await store.trigger(echo, value)
      assert.deepEqual(await handle.result({ timeout: '20s' }), value)
      await worker.stop()
    })

    it('refuses what cannot come back, says where it is, and enqueues nothing', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      for (const { name, value, path } of refused) {
        const error = await errorOf(name, () => producer.enqueue(value))
        assert.ok(error instanceof SerializationError, `${name}: ${String(error)}`)
        assert.equal(error.path, path, name)
        assert.ok(error.message.startsWith(path), name)
        await errorOf(`a batch with ${name}`, () => producer.enqueueMany([{ fine: 1 }, value]))
      }
      await store.admin.queues.create('payloads')
      expect(await store.admin.metrics('payloads')).toMatchObject({ ready: 0, delayed: 0, archived: 0 })
    })

    it('takes 100 levels of nesting and no more, unless it is told', async () => {
      const store = await bench.open()
      const producer = store.producer(queue)
      await producer.enqueue(nested(99))
      await producer.enqueue(nested(100))
      for (const levels of [101, 1_000, 7_000]) {
        await expect(producer.enqueue(nested(levels))).rejects.toThrow(/nested deeper than 100 levels/)
      }
      const raised = store.producer(queue, { limits: { maxDepth: 1000 } })
      await raised.enqueue(nested(1000))
      await expect(raised.enqueue(nested(1001))).rejects.toThrow(PayloadError)
      const messages = await store.consumer(queue).dequeue({ limit: 10 })
      const levels = messages.map(({ payload }) => depth(payload))
      expect(levels.sort((a, b) => a - b)).toEqual([99, 100, 1000])
    })

    it('counts the size in bytes of UTF-8 as they are stored: the limit is fine, one more is not', async () => {
      const store = await bench.open()
      const producer = store.producer(queue, { limits: { maxBytes: 1200 } })
      // The quotes are two bytes; a NUL is stored as the six characters of its escape.
      const sizes: readonly [character: string, bytes: number][] = [
        ['x', 1],
        ['é', 2],
        ['€', 3],
        ['😀', 4],
        ['\0', 6],
        ['"', 2],
      ]
      for (const [character, bytes] of sizes) {
        const rest = (1198 % bytes) + bytes
        const fits = 'x'.repeat(rest) + character.repeat((1198 - rest) / bytes)
        await producer.enqueue(fits)
        const error = await errorOf(`one byte more of ${character}`, () => producer.enqueue(`${fits}y`))
        expect(error).toBeInstanceOf(PayloadError)
        expect((error as Error).message).toContain('1200')
        expect((error as Error).message).toContain('maxBytes')
      }
      await expect(store.producer(queue).enqueue('x'.repeat(1024 * 1024 - 2))).resolves.toBeTypeOf('string')
      await expect(store.producer(queue).enqueue('x'.repeat(1024 * 1024 - 1))).rejects.toThrow(PayloadError)
    })

    it('takes 5 MB when the limit is raised', async () => {
      const store = await bench.open()
      const text = 'payload-€'.repeat(460_000)
      await store.producer(queue, { limits: { maxBytes: 8_000_000 } }).enqueue({ text })
      const [message] = await store.consumer(queue).dequeue()
      expect((message?.payload as { text: string }).text === text).toBe(true)
    })
  })
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

function depth(value: unknown): number {
  let levels = 0
  for (let at = value; typeof at === 'object' && at !== null; at = (at as { a?: unknown }).a) levels++
  return levels
}
