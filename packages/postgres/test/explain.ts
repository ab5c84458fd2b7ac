import type { Statement } from '@pgqrs/core/driver'
import type { Sql } from 'postgres'

/** What EXPLAIN says of one node. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Shared Hit Blocks'?: number
  readonly 'Shared Read Blocks'?: number
  readonly Plans?: readonly PlanNode[]
}

/** How prepared statements are planned. */
export const planModes = ['force_custom_plan', 'force_generic_plan'] as const

/** One of {@link planModes}. */
export type PlanMode = (typeof planModes)[number]

/**
 * The plan for a statement, as a prepared one is planned.
 * @param options of EXPLAIN, such as `analyze, buffers`, which executes it.
 */
export async function planOf(
  sql: Sql,
  { sql: text, parameters }: Statement,
  mode: PlanMode,
  options = '',
): Promise<PlanNode> {
  await sql.unsafe(`set plan_cache_mode = ${mode}; prepare planned as ${text}`)
  try {
    const values = parameters.map(literal).join(', ')
    const [row] = await sql.unsafe<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>(
      `explain (${options === '' ? '' : `${options}, `}format json) execute planned${values === '' ? '' : `(${values})`}`,
    )
    return row!['QUERY PLAN'][0].Plan
  } finally {
    await sql`deallocate planned`
  }
}

/** A parameter as SQL text. */
export function literal(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : `'${(value as string).replaceAll("'", "''")}'`
}

/** A node and all below it. */
export function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)]
}

/** Whether a node reads messages. */
export function onMessages(node: PlanNode): boolean {
  return node['Relation Name'] === 'pgqrs_messages'
}

/** How a plan reads messages, and what it sorts that has messages in it. */
export function readingOf(plan: PlanNode): {
  readonly scans: readonly string[]
  readonly sorts: readonly string[]
} {
  const nodes = flat(plan)
  return {
    scans: nodes.filter(onMessages).map((node) => node['Node Type']),
    sorts: nodes
      .filter((node) => node['Node Type'].endsWith('Sort') && flat(node).some(onMessages))
      .map((node) => node['Node Type']),
  }
}
