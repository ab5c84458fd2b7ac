import { setTimeout as sleep } from 'node:timers/promises'
import { defineQueue } from '@pgqrs/core'
import { eventually, startPostgres, type PostgresServer } from '@pgqrs/test-database'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { client, strayErrors } from './database.js'
import { open } from './stores.js'

let server: PostgresServer
beforeAll(async () => {
  // A server that crashes keeps what it acknowledged only when it had been written for good.
  server = await startPostgres({ fresh: true, settings: { fsync: 'on' } })
})
afterAll(() => server.stop())

it.each(['fast', 'immediate'] as const)(
  'goes on by itself after a %s restart of the server under load',
  async (mode) => {
    const stray = strayErrors()
    const dsn = await server.createDatabase()
    const queue = defineQueue<number>('numbers')
    const store = await open(dsn, { lease: '3s', connectionTimeout: '30s' })
    await store.admin.install()
    const handled = new Set<string>()
    const workers = await Promise.all(
      [store, await open(dsn, { lease: '3s' })].map(async (one) => {
        const worker = one.worker([queue.handler(({ id }) => void handled.add(id))])
        await worker.start()
        return worker
      }),
    )

    let running = true
    const accepted: string[] = []
    const producer = store.producer(queue)
    const enqueuers = Promise.all(
      [1, 2, 3, 4].map(async () => {
        while (running) {
          accepted.push(await producer.enqueue(accepted.length))
          await sleep(2)
        }
      }),
    )
    for (let restart = 1; restart <= 2; restart++) {
      const more = accepted.length + 200
      await eventually('messages to be accepted', () => accepted.length > more, { timeoutMs: 30_000 })
      await server.restart!(mode)
    }
    const more = accepted.length + 200
    await eventually('messages to be accepted again', () => accepted.length > more, { timeoutMs: 30_000 })
    running = false
    await enqueuers

    await eventually('every message to be handled', () => accepted.every((id) => handled.has(id)), {
      timeoutMs: 30_000,
    })
    expect(workers.map((worker) => worker.status)).toEqual(['polling', 'polling'])
    await eventually(
      'the ends to be written',
      async () => (await store.admin.metrics('numbers')).leased === 0,
    )
    const rows = await client(dsn)<{ id: string }[]>`select id from pgqrs_messages where status = 'success'`
    const archived = new Set(rows.map(({ id }) => id))
    expect(accepted.filter((id) => !archived.has(id))).toEqual([])
    expect(stray).toEqual([])
  },
  120_000,
)
