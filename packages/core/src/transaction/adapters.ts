import type { Row } from '../db/statement.js'
import { TransactionAdapter } from './adapter.js'

interface PgClient {
  query(sql: string, parameters: unknown[]): Promise<{ rows: unknown[] }>
}

/** For `pg`: the client on which `BEGIN` was executed. */
export function fromPg(client: PgClient): TransactionAdapter {
  return new TransactionAdapter(
    async (sql, parameters) => (await client.query(sql, [...parameters])).rows as Row[],
  )
}

interface KyselyTransaction {
  executeQuery(query: never): Promise<{ rows: unknown[] }>
}

/** For Kysely: the `trx` of `db.transaction().execute(async (trx) => …)`. */
export function fromKysely(trx: KyselyTransaction): TransactionAdapter {
  return new TransactionAdapter(async (sql, parameters) => {
    const query = {
      sql,
      parameters,
      query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
      queryId: { queryId: 'pgqrs' },
    }
    return (await trx.executeQuery(query as never)).rows as Row[]
  })
}

interface KnexTransaction {
  raw(sql: string, bindings: never): PromiseLike<unknown>
}

/** For Knex: the `trx` of `knex.transaction(async (trx) => …)`. */
export function fromKnex(trx: KnexTransaction): TransactionAdapter {
  return new TransactionAdapter(async (sql, parameters) => {
    const { text, values } = questionMarks(sql, parameters)
    const result = await trx.raw(text, values as never)
    return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
  })
}

interface TypeOrmManager {
  query(sql: string, parameters?: unknown[]): Promise<unknown>
}

/** For TypeORM: the `EntityManager` of `dataSource.transaction(async (manager) => …)`, or a `QueryRunner`. */
export function fromTypeOrm(manager: TypeOrmManager): TransactionAdapter {
  return new TransactionAdapter(async (sql, parameters) => {
    const result = await manager.query(sql, [...parameters])
    // For UPDATE and DELETE TypeORM answers [rows, count] on Postgres.
    const rows =
      Array.isArray(result) && result.length === 2 && Array.isArray(result[0])
        ? (result[0] as unknown)
        : result
    return (Array.isArray(rows) ? rows : []) as Row[]
  })
}

interface PrismaTransaction {
  $queryRawUnsafe(sql: string, ...parameters: unknown[]): Promise<unknown>
}

/** For Prisma: the `tx` of `prisma.$transaction(async (tx) => …)`. */
export function fromPrisma(tx: PrismaTransaction): TransactionAdapter {
  return new TransactionAdapter(
    async (sql, parameters) => (await tx.$queryRawUnsafe(sql, ...parameters)) as Row[],
  )
}

interface DrizzleSql {
  raw(text: string): unknown
  join(chunks: never, separator?: never): unknown
  param?(value: unknown): unknown
}
interface DrizzleTransaction {
  execute(query: never): PromiseLike<unknown>
}

/** For Drizzle on Postgres: the `tx` of `db.transaction(async (tx) => …)`, and Drizzle's own `sql`. */
export function fromDrizzle(
  tx: DrizzleTransaction,
  sql: ((strings: TemplateStringsArray, value: unknown) => unknown) & DrizzleSql,
): TransactionAdapter {
  const value = Object.assign(['', ''], { raw: ['', ''] }) as TemplateStringsArray
  return new TransactionAdapter(async (text, parameters) => {
    const chunks = pieces(text).flatMap((piece) =>
      typeof piece === 'string' ? [sql.raw(piece)] : [sql(value, parameters[piece])],
    )
    const result = await unwrapped(tx.execute(sql.join(chunks as never) as never))
    const rows: unknown = Array.isArray(result) ? result : (result as { rows: unknown[] }).rows
    return [...(rows as Row[])]
  })
}

/** Drizzle wraps the error of the client in one whose message repeats the statement and every parameter. */
async function unwrapped<T>(query: PromiseLike<T>): Promise<T> {
  try {
    return await query
  } catch (error) {
    throw (error as { readonly cause?: unknown }).cause ?? error
  }
}

interface LibsqlTransaction {
  execute(statement: { sql: string; args: never }): Promise<{ columns: string[]; rows: ArrayLike<unknown>[] }>
}

/** For @libsql/client, when another driver's store shares its database: the result of `client.transaction('write')`. */
export function fromLibsql(tx: LibsqlTransaction): TransactionAdapter {
  return new TransactionAdapter(async (sql, parameters) => {
    const { columns, rows } = await tx.execute({ sql, args: parameters as never })
    return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])))
  })
}

// Our statements hold no string with a $ or ? in it that is not a placeholder.
function pieces(text: string): (string | number)[] {
  return text.split(/(\$\d+)/).map((piece) => (/^\$\d+$/.test(piece) ? Number(piece.slice(1)) - 1 : piece))
}

/** Turns `$1` into `?` with the values in the order of use; a text with `?` stays as it is. */
function questionMarks(text: string, parameters: readonly unknown[]): { text: string; values: unknown[] } {
  const parts = pieces(text)
  if (parts.length === 1) return { text, values: [...parameters] }
  const values = parts.filter((part) => typeof part === 'number').map((index) => parameters[index])
  return { text: parts.map((part) => (typeof part === 'number' ? '?' : part)).join(''), values }
}
