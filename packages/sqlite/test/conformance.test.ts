import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exercise, type Row, type TestDatabase } from '@pgqrs/conformance'
import { connect, type Database as Connection } from '@pgqrs/sqlite'
import Database from 'better-sqlite3'

/** The database of the application's own client, which the stores share when there is no file. */
function database(file: string, remove: () => void): TestDatabase {
  const client = new Database(file, { timeout: 5000 })
  const dsn = file === ':memory:' ? file : `sqlite:${file}`
  return {
    dsn,
    connect: (options) => connect({ ...(file === ':memory:' ? { client } : { dsn }), ...options }),
    query: (sql) => {
      const statement = client.prepare<[], Row>(sql)
      return Promise.resolve(statement.reader ? statement.all() : (statement.run(), []))
    },
    writeEffect: (tx, name) =>
      (tx as Connection).prepare('insert into effects (name) values (?)').run(name).changes,
    inTransaction: async (work) => {
      client.exec('begin immediate')
      try {
        await work(client)
        client.exec('commit')
      } catch (error) {
        client.exec('rollback')
        throw error
      }
    },
    drop: () => {
      client.close()
      remove()
      return Promise.resolve()
    },
  }
}

exercise({
  name: 'sqlite file',
  package: '@pgqrs/sqlite',
  capabilities: { wake: 'watch', oneWriter: true, clock: 'host', shared: true, schemas: false },
  create: () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgqrs-sqlite-'))
    return Promise.resolve(
      database(join(folder, 'test.db'), () => {
        rmSync(folder, { recursive: true, force: true })
      }),
    )
  },
})

exercise({
  name: 'sqlite in memory',
  package: '@pgqrs/sqlite',
  capabilities: { wake: 'none', oneWriter: true, clock: 'host', shared: false, schemas: false },
  create: () => Promise.resolve(database(':memory:', () => undefined)),
})
