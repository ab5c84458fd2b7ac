import { setTimeout as sleep } from 'node:timers/promises'
import { expectFlat, startSteadyLoad } from '@pgqrs/conformance'
import { startProxy } from '@pgqrs/test-database'
import { expect, it, onTestFinished } from 'vitest'
import { client, database } from './database.js'

const CUT_EVERY_MS = 30

it('200,000 messages and 2,000 reconnects leave memory, sockets, timers and listeners flat', async () => {
  const dsn = await database()
  const admin = client(dsn, { max: 1 })
  const proxy = await startProxy(dsn)
  onTestFinished(() => proxy.stop())
  const load = { messages: 200_000, stores: 0, cuts: true, options: { maxConnections: 6 } }
  const child = await startSteadyLoad('@pgqrs/postgres', proxy.dsn, load)
  await expectFlat(child, async () => {
    for (let cut = 0; cut < 1000;) {
      await sleep(CUT_EVERY_MS)
      cut += proxy.connections()
      proxy.cutAll()
    }
  })
  const [row] = await admin<{ n: number }[]>`select count(*)::int as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  expect(row!.n).toBe(0)
}, 250_000)
