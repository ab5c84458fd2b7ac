import { exercise } from '@pgqrs/conformance'
import { startPgBouncer } from '@pgqrs/test-database'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { at, serverDsn } from './database.js'
import { amongProcesses, capabilities, EmptiedDatabase } from './emptied-database.js'

// Statements and transactions go through PgBouncer in transaction mode, unprepared; wake-ups are heard on a connection
// of their own, as the guide advises. What is left out of the suite kills and freezes processes: PgBouncer has no part
// in that. That nobody is heard through PgBouncer, and what becomes of it, is in pgbouncer.test.ts.
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
  (topic) => !amongProcesses.has(topic),
)
