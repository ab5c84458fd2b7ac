import { defineQueue, PgqrsError, type DriverTransaction, type Store } from '@pgqrs/core'
import { connect } from '@pgqrs/sqlite'

export const SCRIPT = 'queue by hand'

const payloads: readonly unknown[] = [
  null,
  '',
  'ünïcödé \u0000 \ud83d\ude00',
  -0,
  2 ** 53,
  [1, [2, [3]]],
  { b: 1, a: undefined },
]

/** Calls by one client, one after the other, on an empty store: what each of them says, without ids and times. */
export async function answersOf(store: Store<DriverTransaction>): Promise<string[]> {
  const said: string[] = []
  const ask = async (what: string, call: () => unknown): Promise<void> => {
    try {
      said.push(`${what}: ${JSON.stringify(await call())}`)
    } catch (error) {
      said.push(`${what}: ${error instanceof PgqrsError ? error.code : String(error)}`)
    }
  }
  const queue = defineQueue<unknown>('answers')
  const [producer, consumer] = [store.producer(queue), store.consumer(queue)]
  for (const payload of payloads) {
    await ask('enqueue', async () => (await producer.enqueue(payload)).length)
    await ask('dequeue', async () => {
      const [message] = await consumer.dequeue()
      const delivered = Object.is(message?.payload, -0) ? '-0' : message?.payload
      await message?.archive(payload)
      return delivered
    })
  }
  await ask('refused', () => producer.enqueue(() => undefined))
  await ask('priority', async () => {
    await producer.enqueueMany([1, 2, 3], { each: (n) => ({ priority: Number(n) }) })
    const held = await consumer.dequeue({ limit: 2 })
    await held[0]?.release()
    await held[1]?.fail(new Error('on purpose'))
    return held.map((message) => message.payload)
  })
  await ask('key', async () => {
    const first = await producer.enqueue('first', { key: 'k' })
    const second = await producer.enqueue('second', { key: 'k' })
    return first === second
  })
  await ask('reject', () => producer.enqueue('third', { key: 'k', onConflict: 'reject' }))
  await ask('twice', async () => {
    const [message] = await consumer.dequeue()
    await message?.delete()
    return message?.archive()
  })
  await ask('unknown queue', () => store.admin.metrics('answer'))
  await ask('metrics', async () => {
    const { ready, delayed, leased, archived, dead } = await store.admin.metrics('answers')
    return { ready, delayed, leased, archived, dead }
  })
  await consumer.close()
  return said
}

/** What the script says on SQLite in memory, with which every other store is compared. */
export async function referenceAnswers(): Promise<string[]> {
  const store = await connect(':memory:')
  try {
    await store.admin.install()
    return await answersOf(store)
  } finally {
    await store.close()
  }
}
