// Uses the databases named in argv, closes them, and ends when nothing is left that keeps it alive.
import { openTarget } from '../src/open.js'
import { parseTarget } from '../src/target.js'

const settings = { connectionTimeoutMs: 60_000, maxConnections: 10, sqliteWal: true }
for (const dsn of process.argv.slice(2)) {
  const driver = openTarget(parseTarget(dsn), {}, settings)
  const stop = await driver.wake?.listen(
    () => undefined,
    () => undefined,
  )
  await driver.execute([{ sql: 'create table if not exists closing (a)', parameters: [], reads: false }])
  await driver.transaction({
    before: { sql: 'select 1', parameters: [], reads: true },
    check: () => undefined,
    work: () => undefined,
    after: () => [],
    checkAfter: () => undefined,
    limitMs: 60_000,
  })
  await stop?.()
  await driver.close()
}
console.log('closed')
