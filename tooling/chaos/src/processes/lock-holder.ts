// Executes statements on a SQLite file and keeps the connection, and with it the locks, until it is killed.
import BetterSqlite3 from 'better-sqlite3'

const [file = '', sql = ''] = process.argv.slice(2)
const db = new BetterSqlite3(file, { timeout: 20_000 })
for (const statement of sql.split(';')) {
  const prepared = db.prepare(statement)
  if (prepared.reader) prepared.all()
  else prepared.run()
}
console.log('holding')
setInterval(() => undefined, 60_000)
