import { DummyDriver, Kysely, type DialectAdapter, type QueryCompiler } from 'kysely'
import type { Database } from './schema.js'

/** A Kysely that builds and compiles queries of one SQL flavour and never executes anything. */
export function compilingKysely(
  adapter: () => DialectAdapter,
  compiler: () => QueryCompiler,
): Kysely<Database> {
  return new Kysely<Database>({
    dialect: {
      createAdapter: adapter,
      createDriver: () => new DummyDriver(),
      createQueryCompiler: compiler,
      createIntrospector: () => {
        throw new Error('the compiling Kysely has no database to introspect')
      },
    },
  })
}
