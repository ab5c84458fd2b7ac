import type {} from 'vitest'
import type { TestProject } from 'vitest/node'
import { startPostgres, type PostgresServer } from './postgres-server.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's dsn of the run's Postgres; make databases with `startPostgres` or `createDatabase` on it. */
    postgresDsn: string
    /** Its major version, such as 18. */
    postgresMajor: number
    /** Where it comes from. */
    postgresSource: PostgresServer['source']
  }
}

/** Shared by all projects of a run, each of which runs this file, possibly as a module of its own. */
interface Shared {
  users: number
  server: Promise<PostgresServer>
}
const shared = globalThis as { [key: symbol]: Shared | undefined }
const key = Symbol.for('@pgqrs/test-database')

/**
 * A vitest `globalSetup`: one Postgres for the whole run, which tests reach with `inject('postgresDsn')`.
 * @returns the teardown, which stops the server after its last user.
 */
export default async function setup({ provide }: Pick<TestProject, 'provide'>): Promise<() => Promise<void>> {
  const use = (shared[key] ??= { users: 0, server: announced() })
  use.users += 1
  const server = await use.server
  provide('postgresDsn', server.dsn)
  provide('postgresMajor', server.major)
  provide('postgresSource', server.source)
  return async () => {
    use.users -= 1
    if (use.users > 0) return
    shared[key] = undefined
    await server.stop()
  }
}

async function announced(): Promise<PostgresServer> {
  const begin = performance.now()
  const server = await startPostgres()
  const took = Math.round(performance.now() - begin)
  process.stdout.write(`Postgres ${server.major} for the tests: ${server.source}, ready in ${took} ms\n`)
  return server
}
