import type { InStatement, InValue, ResultSet } from '@libsql/client'
import type { Row, Statement } from '@pgqrs/core/driver'

/** A statement of the engine as the client takes it. */
export function bind(statement: Statement): Exclude<InStatement, string> {
  return { sql: statement.sql, args: statement.parameters.map(toValue) }
}

// The client binds a number as REAL, whatever its value; typed or untyped, what is whole must stay an integer.
function toValue(value: unknown): InValue {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value
    case 'string':
    case 'bigint':
    case 'boolean':
      return value
    case 'undefined':
      return null
    default:
      if (value === null || value instanceof Uint8Array) return value
      throw new TypeError(`A parameter of type ${typeof value} cannot be bound.`)
  }
}

/**
 * The rows of a result for the engine: plain objects keyed by column name, with numbers for integers also where the
 * application's client has `intMode: 'bigint'`.
 */
export function engineRows(result: ResultSet): Row[] {
  return result.rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    ),
  )
}

/**
 * What a transactional step returns, without the classes of the client: of a result its rows, of a row a plain object,
 * alone or in an array. Anything else is itself. A step's value has to be the same live and replayed.
 */
export function plainValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainValue)
  if (isResultSet(value)) return value.rows.map((row) => ({ ...row }))
  return isRow(value) ? { ...value } : value
}

function isResultSet(value: unknown): value is ResultSet {
  return isObject(value) && 'columnTypes' in value && 'rowsAffected' in value && Array.isArray(value['rows'])
}

function isRow(value: unknown): value is Row {
  return isObject(value) && Object.getOwnPropertyDescriptor(value, 'length')?.enumerable === false
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
