// Writes rows argv[3]000 to argv[3]099 through a driver of its own into the file argv[2], step by step.
import { openTarget } from '../src/open.js'
import { parseTarget } from '../src/target.js'

const [, , path = '', who = ''] = process.argv
const settings = { connectionTimeoutMs: 10_000, maxConnections: 10, sqliteWal: true }
const driver = openTarget(parseTarget(`file:${path}`), {}, settings)
console.log('ready')
for (let i = 0; i < 100; i++) {
  const name = `${who}${String(i).padStart(3, '0')}`
  await driver.execute([{ sql: 'insert into t values (?)', parameters: [name], reads: false }])
}
await driver.close()
console.log('done')
