import { exercise } from '@pgqrs/conformance'
import { startPgBouncer } from '@pgqrs/test-database'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { at, serverDsn } from './database.js'
import { capabilities, EmptiedDatabase, everyStatement } from './emptied-database.js'

// Statements and transactions go through PgBouncer in transaction mode, unprepared; wake-ups are heard on a connection
// of their own. Only the topics that meet every statement: PgBouncer has no part in what the others are about. That
// nobody is heard through PgBouncer itself, and what becomes of it, is in pgbouncer.test.ts.
const bouncer = await startPgBouncer(serverDsn())
const pooled = new URL(bouncer?.dsn ?? serverDsn())
const database = new EmptiedDatabase({
  by: (dsn) => `${at(dsn, { port: Number(pooled.port) })}?prepare=false`,
  options: (dsn) => ({ listenDsn: dsn }),
})

beforeAll(() => database.begin())
afterAll(async () => {
  await database.end()
  await bouncer?.stop()
})
beforeEach(({ skip }) => {
  skip(bouncer === undefined, 'pgbouncer is not installed')
})

exercise(
  { name: 'postgres through PgBouncer', package: '@pgqrs/postgres', capabilities, create: database.create },
  (topic) => everyStatement.has(topic),
)
