import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, type Transaction } from '@libsql/client'
import { exercise, type TestDatabase } from '@pgqrs/conformance'
import { startLibsqlServer } from '@pgqrs/test-database'
import { connect } from '@pgqrs/turso'

/** The database behind a DSN, looked at through a client of the application's own. */
function database(dsn: string, remove: () => void | Promise<void>): TestDatabase {
  const client = createClient({ url: dsn })
  return {
    dsn,
    connect: (options) => connect({ dsn, ...options }),
    query: async (sql) => (await client.execute(sql)).rows.map((row) => ({ ...row })),
    writeEffect: (tx, name) =>
      (tx as Transaction).execute({ sql: 'insert into effects (name) values (?)', args: [name] }),
    inTransaction: async (work) => {
      const tx = await client.transaction('write')
      try {
        await work(tx)
        await tx.commit()
      } finally {
        // Rolls back what was not committed.
        tx.close()
      }
    },
    drop: async () => {
      client.close()
      await remove()
    },
  }
}

exercise({
  name: 'libsql file',
  package: '@pgqrs/turso',
  capabilities: { wake: 'watch', oneWriter: true, clock: 'host', shared: true, schemas: false },
  create: () => {
    const folder = mkdtempSync(join(tmpdir(), 'pgqrs-turso-'))
    return Promise.resolve(
      database(`file:${join(folder, 'test.db')}`, () => {
        rmSync(folder, { recursive: true, force: true })
      }),
    )
  },
})

for (const [protocol, url] of [
  ['http', 'httpUrl'],
  ['ws', 'wsUrl'],
] as const) {
  exercise({
    name: `libsql server over ${protocol}`,
    package: '@pgqrs/turso',
    capabilities: { wake: 'none', oneWriter: true, clock: 'database', shared: true, schemas: false },
    create: async () => {
      const server = await startLibsqlServer()
      return database(server[url], () => server.stop())
    },
  })
}
