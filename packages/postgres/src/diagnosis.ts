import type { Failure, Row, Statement } from '@pgqrs/core/driver'
import { codeOf, explain } from './failure.js'

type Ask = (statement: Statement) => Promise<Row[]>

interface Place {
  readonly schema: string | null
  readonly exists: boolean
  readonly role: string
  readonly owner: string | null
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
  const { schema, exists, role, owner } = place
  if (schema === null) {
    return {
      kind: 'schema_missing',
      detail: 'No schema of the search path exists or may be used. Name one: { schema }.',
    }
  }
  if (!exists) return { kind: 'schema_missing', detail: `Run: CREATE SCHEMA ${schema}` }
  if (code !== '42501') return undefined
  if (message.startsWith('must be owner')) {
    return owner === null ? undefined : { kind: 'permission', detail: `GRANT ${owner} TO ${role}` }
  }
  if (message.includes('for schema')) {
    return { kind: 'permission', detail: `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}` }
  }
  return {
    kind: 'permission',
    detail: `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`,
  }
}

// pg_class and pg_namespace can be read by everybody, whatever the schema lets one do.
function whereAmI(schema: string | undefined): Statement {
  const sql = `select quote_ident(s.name) as schema, n.oid is not null as exists, quote_ident(current_user) as role,
    (select quote_ident(pg_get_userbyid(c.relowner)) from pg_class c
      where c.relnamespace = n.oid and c.relname like 'pgqrs\\_%' limit 1) as owner
    from (select coalesce($1::text, current_schema()) as name) s left join pg_namespace n on n.nspname = s.name`
  return { sql, parameters: [schema ?? null], reads: true }
}
