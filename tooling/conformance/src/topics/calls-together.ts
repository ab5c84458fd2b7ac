import { BackPressureError, defineQueue, IdConflictError, KeyConflictError, PayloadError } from '@pgqrs/core'
import { describe, expect, it } from 'vitest'
import { useBench } from '../bench.js'
import { intercept } from '../intercept.js'
import { StatementTape } from '../statement-tape.js'
import type { Target } from '../target.js'

const numbers = Array.from({ length: 100 }, (_, n) => n)
const MIB = 1024 * 1024

/** Calls made in one turn leave together; what is wrong with one of them is no concern of the others. */
export function callsTogether(target: Target): void {
  describe('calls made in one turn', () => {
    const bench = useBench(target)
    const queue = defineQueue<unknown>('crowd')

    async function count(text: string): Promise<number> {
      const [row] = await bench.db.query(text)
      return Number(Object.values(row ?? {})[0])
    }

    it('fail alone when their payload is over the cap', async () => {
      const tape = new StatementTape()
      const store = await bench.open({ wrapDriver: tape.wrapDriver })
      const producer = store.producer(queue)
      await producer.enqueue('first')
      tape.rewind()
      const tooLong = (n: number): boolean => n % 10 === 7
      const outcomes = await Promise.allSettled(
        numbers.map((n) => producer.enqueue(tooLong(n) ? 'x'.repeat(MIB + 1) : n)),
      )
      for (const [n, outcome] of outcomes.entries()) {
        expect(outcome.status).toBe(tooLong(n) ? 'rejected' : 'fulfilled')
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PayloadError)
      }
      // Nothing of what is refused has been sent.
      expect(tape.trips).toHaveLength(1)
      expect(await count('select count(*) from pgqrs_messages')).toBe(91)
    })

    it('are told their own error each, those that the database refuses too', async () => {
      const tape = new StatementTape()
      const store = await bench.open({ wrapDriver: tape.wrapDriver })
      const producer = store.producer(queue)
      const [id, other] = await producer.enqueueMany(['here', 'too'])
      const key = await producer.enqueue('held', { key: 'k' })
      tape.rewind()
      const outcomes = await Promise.allSettled([
        ...numbers.map((n) => producer.enqueue(n)),
        producer.enqueue('another', { id: id! }),
        producer.enqueue('and another', { id: other! }),
        producer.enqueue('rejected', { key: 'k', onConflict: 'reject' }),
        producer.enqueue('ignored', { key: 'k' }),
        producer.enqueue('here', { id: id! }),
        producer.enqueue('new', { key: 'new' }),
      ])
      expect(outcomes.slice(0, 100).every(({ status }) => status === 'fulfilled')).toBe(true)
      const [first, second, rejected, ignored, same, fresh] = outcomes.slice(100)
      expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ID_CONFLICT', id } })
      expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ID_CONFLICT', id: other } })
      expect(rejected).toMatchObject({
        status: 'rejected',
        reason: { code: 'KEY_CONFLICT', key: 'k', id: key },
      })
      expect(
        [first, second].every((o) => o?.status === 'rejected' && o.reason instanceof IdConflictError),
      ).toBe(true)
      expect(rejected?.status === 'rejected' && rejected.reason).toBeInstanceOf(KeyConflictError)
      expect(ignored).toEqual({ status: 'fulfilled', value: key })
      expect(same).toEqual({ status: 'fulfilled', value: id })
      expect(fresh).toMatchObject({ status: 'fulfilled' })
      expect(await count('select count(*) from pgqrs_messages')).toBe(3 + 100 + 1)
    })

    it.for([
      ['one', [42]],
      ['some', [0, 13, 14, 99]],
      ['all', numbers],
    ] as const)('fail alone when the database refuses their rows: %s of them', async ([, bad]) => {
      let trips = 0
      const wrapDriver = intercept((statements, next) => {
        if (statements.some(({ sql }) => /insert into \S*pgqrs_messages/.test(sql))) trips++
        // As a check of the user's, a full tablespace or a row that is too long would.
        const found = statements.flatMap(({ parameters }) => parameters).join()
        const refused = bad.find((n) => found.includes(`refused ${n} `))
        if (refused !== undefined) return Promise.reject(new Error(`row ${refused} will not do`))
        return next(statements)
      })
      const store = await bench.open({ wrapDriver })
      const producer = store.producer(queue)
      await producer.enqueue('first')
      trips = 0
      const outcomes = await Promise.allSettled(
        numbers.map((n) => producer.enqueue(bad.some((b) => b === n) ? `refused ${n} ` : n)),
      )
      for (const n of numbers) {
        const outcome = outcomes[n]!
        if (!bad.some((b) => b === n)) expect(outcome.status).toBe('fulfilled')
        else {
          expect(outcome.status === 'rejected' && String(outcome.reason)).toContain(`row ${n} will not do`)
        }
      }
      // Halves of halves: at most two for each level and each bad row.
      expect(trips).toBeLessThanOrEqual(1 + 2 * 7 * bad.length)
      expect(await count('select count(*) from pgqrs_messages')).toBe(101 - bad.length)
    })

    it('are refused before anything is made of them while too much waits, and what ends work is not', async () => {
      let release: () => void = () => undefined
      let held: Promise<void> = Promise.resolve()
      const wrapDriver = intercept(async (statements, next) => {
        if (statements.some(({ reads }) => !reads)) await held
        return next(statements)
      })
      const store = await bench.open({ wrapDriver })
      const producer = store.producer(queue)
      await producer.enqueue('to be held')
      const [message] = await store.consumer(queue).dequeue()
      held = new Promise((resolve) => (release = resolve))
      const abort = new AbortController()
      const large = 'x'.repeat(MIB - 10)
      const waiting: Promise<unknown>[] = []
      for (;;) {
        const call = producer.enqueue(large, { signal: abort.signal })
        const error = await Promise.race([call.catch((e: unknown) => e), store.admin.queues.list()])
        if (error instanceof BackPressureError) break
        waiting.push(call.catch((e: unknown) => e))
        expect(waiting.length).toBeLessThan(300)
      }
      expect(waiting.length).toBeGreaterThan(250)
      const unreadable = { toJSON: (): never => expect.fail('it was looked at') }
      await expect(producer.enqueue(unreadable)).rejects.toThrow(BackPressureError)
      const end = message!.archive()
      abort.abort()
      release()
      await Promise.all([...waiting, end])
      expect(await store.admin.messages.get(message!.id)).toMatchObject({ status: 'success' })
      await producer.enqueue('there is room again')
    })
  })
}
