import { exercise } from '@pgqrs/conformance'
import { startPgBouncer } from '@pgqrs/test-database'
import { afterAll, beforeEach } from 'vitest'
import { at, serverDsn } from './database.js'
import { capabilities, emptiedDatabase, everyStatement } from './emptied-database.js'

// Statements and transactions go through PgBouncer in transaction mode, unprepared; wake-ups are heard on a connection
// of their own. Only the topics that meet every statement: PgBouncer has no part in what the others are about. That
// nobody is heard through PgBouncer itself, and what becomes of it, is in pgbouncer.test.ts.
const bouncer = await startPgBouncer(serverDsn())
afterAll(() => bouncer?.stop())
const pooled = new URL(bouncer?.dsn ?? serverDsn())
const create = emptiedDatabase({
  by: (dsn) => `${at(dsn, { port: Number(pooled.port) })}?prepare=false`,
  options: (dsn) => ({ listenDsn: dsn }),
})

beforeEach(({ skip }) => {
  skip(bouncer === undefined, 'pgbouncer is not installed')
})

exercise({ name: 'postgres through PgBouncer', package: '@pgqrs/postgres', capabilities, create }, (topic) =>
  everyStatement.has(topic),
)
