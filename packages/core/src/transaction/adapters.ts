import type { Row } from '../db/statement.js'
import { InvalidArgumentError } from '../errors.js'
import { TransactionAdapter } from './adapter.js'

// Each of these takes the handle of a transaction. The client beside it has the same methods, and what goes through it is
// committed at once, whatever becomes of the transaction.
function mustBeTransaction(is: boolean, given: string, fix: string): void {
  if (!is) throw new InvalidArgumentError(`tx: ${given} is no transaction. ${fix}`)
}

function has(value: object, name: string): boolean {
  return (value as Record<string, unknown>)[name] !== undefined
}

interface PgClient {
  query(sql: string, parameters: unknown[]): Promise<{ rows: unknown[] }>
}

/**
 * For `pg`: the client on which `BEGIN` was executed.
 * @throws InvalidArgumentError when it is a `Pool`
 */
export function fromPg(client: PgClient): TransactionAdapter {
  mustBeTransaction(
    !has(client, 'totalCount'),
    'A Pool of pg',
    'Pass the client of pool.connect(), after BEGIN.',
  )
  return new TransactionAdapter(
    async (sql, parameters) => (await client.query(sql, [...parameters])).rows as Row[],
  )
}

interface KyselyTransaction {
  readonly isTransaction: true
  executeQuery(query: never): Promise<{ rows: unknown[] }>
}

/**
 * For Kysely: the `trx` of `db.transaction().execute(async (trx) => …)`.
 * @throws InvalidArgumentError when it is no transaction
 */
export function fromKysely(trx: KyselyTransaction): TransactionAdapter {
  const fix = 'Pass the trx of db.transaction().execute(async (trx) => …).'
  mustBeTransaction((trx.isTransaction as boolean | undefined) === true, 'A Kysely', fix)
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
  readonly isTransaction?: boolean
  raw(sql: string, bindings: never): PromiseLike<unknown>
}

/**
 * For Knex: the `trx` of `knex.transaction(async (trx) => …)`.
 * @throws InvalidArgumentError when it is no transaction
 */
export function fromKnex(trx: KnexTransaction): TransactionAdapter {
  mustBeTransaction(
    trx.isTransaction === true,
    'A Knex',
    'Pass the trx of knex.transaction(async (trx) => …).',
  )
  return new TransactionAdapter(async (sql, parameters) => {
    const { text, values } = questionMarks(sql, parameters)
    const result = await trx.raw(text, values as never)
    return (Array.isArray(result) ? result : (result as { rows: unknown[] }).rows) as Row[]
  })
}

interface TypeOrmRunner {
  readonly isTransactionActive: boolean
}

interface TypeOrmManager {
  readonly isTransactionActive?: boolean
  readonly queryRunner?: TypeOrmRunner | undefined
  query(sql: string, parameters?: unknown[]): Promise<unknown>
}

/**
 * For TypeORM: the `EntityManager` of `dataSource.transaction(async (manager) => …)`, or a `QueryRunner`.
 * @throws InvalidArgumentError when no transaction is open on it
 */
export function fromTypeOrm(manager: TypeOrmManager): TransactionAdapter {
  mustBeTransaction(
    manager.isTransactionActive ?? manager.queryRunner?.isTransactionActive ?? false,
    'A manager without a transaction',
    'Pass the manager of dataSource.transaction(async (manager) => …).',
  )
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

/**
 * For Prisma: the `tx` of `prisma.$transaction(async (tx) => …)`.
 * @throws InvalidArgumentError when it is the client itself
 */
export function fromPrisma(tx: PrismaTransaction): TransactionAdapter {
  const fix = 'Pass the tx of prisma.$transaction(async (tx) => …).'
  mustBeTransaction(!has(tx, '$connect'), 'A PrismaClient', fix)
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

/**
 * For Drizzle on Postgres: the `tx` of `db.transaction(async (tx) => …)`, and Drizzle's own `sql`.
 * @throws InvalidArgumentError when it is no transaction
 */
export function fromDrizzle(
  tx: DrizzleTransaction,
  sql: ((strings: TemplateStringsArray, value: unknown) => unknown) & DrizzleSql,
): TransactionAdapter {
  mustBeTransaction(
    has(tx, 'rollback'),
    'A database of Drizzle',
    'Pass the tx of db.transaction(async (tx) => …).',
  )
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

/**
 * For @libsql/client, when another driver's store shares its database: the result of `client.transaction('write')`.
 * @throws InvalidArgumentError when it is the client itself
 */
export function fromLibsql(tx: LibsqlTransaction): TransactionAdapter {
  mustBeTransaction(
    has(tx, 'commit'),
    'A client of libSQL',
    "Pass the result of client.transaction('write').",
  )
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
