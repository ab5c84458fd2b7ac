import type { Failure, Row, Statement } from '@pgqrs/core/driver'
import { codeOf, explain } from './failure.js'

type Ask = (statement: Statement) => Promise<Row[]>

interface Place {
  readonly schema: string | null
  readonly exists: boolean
  /** Whether the role may look into the schema. */
  readonly usable: boolean | null
  readonly role: string
  readonly owner: string | null
  /** Those of pgqrs in the schema, with its name. */
  readonly tables: string | null
}

/**
 * Finds out what the error of a statement of ours alone does not say: whether the table or the whole schema is
 * missing, and which GRANT would help. What it finds, `classify` then tells. Never throws.
 */
export async function diagnose(error: unknown, schema: string | undefined, ask: Ask): Promise<void> {
  const code = codeOf(error)
  if (!(error instanceof Error) || (code !== '42P01' && code !== '42501' && code !== '3F000')) return
  try {
    const [place] = (await ask(whereAmI(schema))) as unknown as Place[]
    const failure = place && explanation(code, error.message, place)
    if (failure !== undefined) explain(error, failure)
  } catch {
    // The error itself is worth more than the failure to explain it.
  }
}

function explanation(code: string, message: string, place: Place): Failure | undefined {
  const { schema, exists, usable, role, owner, tables } = place
  if (schema === null) {
    return {
      kind: 'schema_missing',
      detail: 'No schema of the search path exists or may be used. Name one: { schema }.',
    }
  }
  if (!exists) return { kind: 'schema_missing', detail: `Run: CREATE SCHEMA ${schema}` }
  if (code !== '42501') return undefined
  const missing = message.startsWith('must be owner')
    ? owner
    : message.includes('for schema')
      ? `${usable === true ? 'CREATE' : 'USAGE'} ON SCHEMA ${schema}`
      : tables && `SELECT, INSERT, UPDATE, DELETE ON ${tables}`
  return missing === null ? undefined : { kind: 'permission', detail: `GRANT ${missing} TO ${role}` }
}

// pg_class and pg_namespace can be read by everybody, whatever the schema lets one do.
function whereAmI(schema: string | undefined): Statement {
  const sql = `select quote_ident(s.name) as schema, n.oid is not null as exists,
      has_schema_privilege(n.oid, 'usage') as usable, quote_ident(current_user) as role, ours.owner, ours.tables
    from (select coalesce($1::text, current_schema()) as name) s
    left join pg_namespace n on n.nspname = s.name
    cross join lateral (
      select min(quote_ident(pg_get_userbyid(relowner))) as owner,
        string_agg(quote_ident(n.nspname) || '.' || quote_ident(relname), ', ' order by relname) as tables
      from pg_class where relnamespace = n.oid and relkind = 'r' and relname like 'pgqrs\\_%'
    ) ours`
  return { sql, parameters: [schema ?? null], reads: true }
}
