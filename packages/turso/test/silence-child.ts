// Asks the servers named in argv, which do not answer, gives up, and ends when nothing keeps it alive.
import { openTarget } from '../src/open.js'
import { parseTarget } from '../src/target.js'

const settings = { connectionTimeoutMs: 300, maxConnections: 10, sqliteWal: true }
for (const dsn of process.argv.slice(2)) {
  const driver = openTarget(parseTarget(dsn), {}, settings)
  const asked = driver.execute([{ sql: 'select 1', parameters: [], reads: true }])
  const failed = asked.then(
    () => 'answered',
    (error: unknown) => driver.classify(error).kind,
  )
  await driver.close()
  console.log(await failed)
}
console.log('closed')
