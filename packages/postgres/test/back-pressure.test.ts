import { expectBounded } from '@pgqrs/conformance'
import { it } from 'vitest'
import { client, database } from './database.js'

it('refuses what may not wait of 100,000 calls, in bounded memory, and commits the others once', async () => {
  const dsn = await database()
  const admin = client(dsn)
  await expectBounded('@pgqrs/postgres', dsn, (sql) => admin.unsafe(sql))
}, 120_000)
